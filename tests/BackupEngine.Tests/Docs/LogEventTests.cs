using System.Globalization;
using System.Reflection;
using BackupEngine.Diagnostics;
using Microsoft.Extensions.Logging;
using Xunit;

namespace BackupEngine.Tests.Docs;

/// <summary>The log events in docs/architecture.md are those of the code.</summary>
public sealed class LogEventTests
{
    private static readonly (int Id, LogLevel Level, string Name)[] _inCode =
    [
        .. typeof(Log).GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(method => (Event: method.GetCustomAttribute<LoggerMessageAttribute>(), method.Name))
            .Where(method => method.Event is not null)
            .Select(method => (method.Event!.EventId, method.Event.Level, method.Name))
            .OrderBy(method => method.EventId),
    ];

    [Fact]
    public void The_listed_events_are_those_of_the_code()
    {
        (int, LogLevel, string)[] listed =
        [
            .. Documents.TableRows(Documents.Section(Documents.Read("docs/architecture.md"), "## Logs"))
                .Where(row => int.TryParse(row[0], CultureInfo.InvariantCulture, out _))
                .Select(row => (int.Parse(row[0], CultureInfo.InvariantCulture), Enum.Parse<LogLevel>(row[1]), row[2])),
        ];
        Assert.NotEmpty(listed);
        Assert.Equal(_inCode, listed);
    }

    [Fact]
    public void No_two_events_share_an_id() =>
        Assert.Equal(_inCode.Length, _inCode.Select(logged => logged.Id).Distinct().Count());
}
