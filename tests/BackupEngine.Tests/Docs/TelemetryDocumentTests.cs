using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.RegularExpressions;
using BackupEngine.Diagnostics;
using Xunit;

namespace BackupEngine.Tests.Docs;

/// <summary>docs/telemetry.md lists what the code measures and traces.</summary>
public sealed partial class TelemetryDocumentTests
{
    private static readonly string _document = Documents.Read("docs/telemetry.md");

    [Fact]
    public void The_listed_instruments_are_those_of_the_code()
    {
        string[] inCode =
        [
            .. typeof(Telemetry).GetFields(BindingFlags.Static | BindingFlags.Public)
                .Select(field => field.GetValue(null)).OfType<Instrument>()
                .Select(instrument => $"{instrument.Name} {KindOf(instrument)} {instrument.Unit}").Order(),
        ];
        string[] listed = [.. Rows("## Instruments").Select(row => $"{row[0]} {row[1]} {row[2]}").Order()];
        Assert.NotEmpty(listed);
        Assert.Equal(inCode, listed);
    }

    [Fact]
    public void The_listed_spans_and_attributes_are_those_of_the_code()
    {
        string code = string.Concat(Directory.EnumerateFiles(Path.Join(Documents.Root, "src/BackupEngine"), "BackupRepository*.cs").Select(File.ReadAllText));
        Assert.Equal(OperationName().Matches(code).Select(match => match.Groups[1].Value).Order(), Rows("## Spans").Select(row => row[0]).Order());

        string spans = Documents.Section(_document, "## Spans");
        Assert.All(Attribute().Matches(code).Select(match => match.Groups[1].Value), attribute => Assert.Contains($"`{attribute}`", spans, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_instrument_says_what_it_is_and_in_which_unit() =>
        Assert.All(
            typeof(Telemetry).GetFields(BindingFlags.Static | BindingFlags.Public).Select(field => field.GetValue(null)).OfType<Instrument>(),
            instrument => Assert.True(instrument.Name.StartsWith("backup_engine.", StringComparison.Ordinal) && instrument.Unit is { Length: > 0 } && instrument.Description is { Length: > 0 }, instrument.Name));

    private static IEnumerable<string[]> Rows(string heading) => Documents.TableRows(Documents.Section(_document, heading)).Skip(1);

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0];

    [GeneratedRegex(@"RunAsync\(""(\w+)""")]
    private static partial Regex OperationName();

    [GeneratedRegex(@"Note\(""([\w.]+)""")]
    private static partial Regex Attribute();
}
