using BackupEngine.Catalog;
using BackupEngine.Pruning;
using Xunit;

namespace BackupEngine.Tests.Pruning;

/// <summary>Where periods begin and end; that the rules are acted on, see PruneTests.</summary>
public sealed class RetentionPolicyTests
{
    [Theory]
    [InlineData("2025-03-05", "2026-03-04", true)] // week 10 of two years
    [InlineData("2026-12-28", "2027-01-03", false)] // Monday and Sunday of one week, 53 of 2026
    [InlineData("2026-12-27", "2026-12-28", true)]
    [InlineData("2027-01-03", "2027-01-04", true)]
    [InlineData("2024-12-30", "2025-01-05", false)] // week 1 of 2025
    public void Weeks_are_those_of_iso_8601(string earlier, string later, bool areTwo) =>
        Check(new PruneOptions { KeepWeekly = 9 }, $"{earlier}T00:00:00Z", $"{later}T23:59:59Z", areTwo);

    [Theory]
    [InlineData("2025-03-05T00:00:00Z", "2026-03-05T00:00:00Z", true)]
    [InlineData("2026-03-01T00:00:00Z", "2026-03-31T23:59:59Z", false)]
    [InlineData("2026-03-31T23:59:59Z", "2026-04-01T00:00:00Z", true)]
    [InlineData("2026-03-31T23:59:59Z", "2026-04-01T01:59:59.5+02:00", false)]
    public void Months_are_those_of_a_year_by_utc(string earlier, string later, bool areTwo) => Check(new PruneOptions { KeepMonthly = 9 }, earlier, later, areTwo);

    [Theory]
    [InlineData("2026-03-05T00:00:00Z", "2026-03-05T23:59:59Z", false)]
    [InlineData("2026-03-05T23:59:59Z", "2026-03-06T00:00:00Z", true)]
    [InlineData("2025-03-05T12:00:00Z", "2026-03-05T12:00:00Z", true)]
    public void Days_begin_at_midnight_by_utc(string earlier, string later, bool areTwo) => Check(new PruneOptions { KeepDaily = 9 }, earlier, later, areTwo);

    private static void Check(PruneOptions options, string earlier, string later, bool areTwo)
    {
        Backup first = Create(earlier);
        Backup second = Create(later);
        Assert.Equal(areTwo ? [] : [first.Id], RetentionPolicy.SelectRemoved([first, second], options).Select(backup => backup.Id));
    }

    private static Backup Create(string time) => RecordStore.CreateStub("volume", Guid.NewGuid(), BackupStatus.Available, null) with
    {
        DataTimestamp = DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture),
    };
}
