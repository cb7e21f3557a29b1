using BackupEngine.Catalog;
using BackupEngine.Pruning;
using Xunit;

namespace BackupEngine.Tests.Pruning;

/// <summary>Where periods begin and end; that the rules are acted on, see PruneTests.</summary>
public sealed class RetentionPolicyTests
{
    private static readonly DateTimeOffset _now = new(2027, 6, 1, 0, 0, 0, TimeSpan.Zero);

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
        Assert.Equal(areTwo ? [] : [first.Id], Select(options, first, second));
    }

    /// <summary>A backup of an old snapshot that is made now is the last one, and counts for the day of its data.</summary>
    [Fact]
    public void SelectRemoved_OldDataStoredLast_CountsForItsDayAndStays()
    {
        Backup monday = Create("2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z");
        Backup tuesday = Create("2026-03-03T12:00:00Z", "2026-03-03T12:00:00Z");
        Backup old = Create("2026-01-01T12:00:00Z", "2026-03-04T12:00:00Z");
        Assert.Equal([monday.Id], Select(new PruneOptions { KeepDaily = 1 }, monday, tuesday, old));
        Assert.Equal([monday.Id, tuesday.Id], Select(new PruneOptions { KeepLast = 1 }, monday, tuesday, old));
        Assert.Equal([], Select(new PruneOptions { KeepDaily = 3 }, monday, tuesday, old));
    }

    /// <summary>A time in the future would be the day of no other backup, so that it never fell out of the rules, and pushed others out of them.</summary>
    [Theory]
    [InlineData("2035-03-03T12:00:00Z", "2026-03-03T12:00:00Z")] // the machine's clock was ahead
    [InlineData("2035-03-03T12:00:00Z", "2035-03-03T12:00:00Z")] // and the store's
    public void SelectRemoved_TimeInTheFuture_CountsAsOneThatCanBe(string dataTime, string storedAt)
    {
        Backup monday = Create("2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z", place: 1);
        Backup wrong = Create(dataTime, storedAt, place: 2);
        Backup tuesday = Create("2026-03-03T13:00:00Z", "2026-03-03T13:00:00Z", place: 3);
        Assert.Equal([wrong.Id], Select(new PruneOptions { KeepDaily = 2 }, monday, wrong, tuesday));
        Assert.Equal([monday.Id, wrong.Id], Select(new PruneOptions { KeepLast = 1 }, monday, wrong, tuesday));
        Assert.Equal([wrong.Id], Select(new PruneOptions { KeepWeekly = 1, KeepDaily = 2 }, monday, wrong, tuesday));

        // Alone, it counts for now.
        Assert.Equal([], Select(new PruneOptions { KeepDaily = 2 }, monday, wrong));
    }

    private static IEnumerable<Guid> Select(PruneOptions options, params Backup[] backups) =>
        RetentionPolicy.SelectRemoved(backups, options, _now).Select(backup => backup.Id).OrderBy(id => Array.FindIndex(backups, backup => backup.Id == id));

    private static Backup Create(string time) => RecordStore.CreateStub("volume", Guid.NewGuid(), BackupStatus.Available, null) with
    {
        CreatedAt = Parse(time),
        DataTimestamp = Parse(time),
    };

    private static Backup Create(string dataTime, string storedAt, int? place = null) => Create(dataTime) with
    {
        StoredAt = Parse(storedAt),
        OrderedAt = place is { } ordinal ? _now.AddDays(ordinal) : null,
    };

    private static DateTimeOffset Parse(string time) => DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
}
