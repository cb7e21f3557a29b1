using System.Text.Json;
using System.Text.Json.Serialization;
using BackupEngine.ObjectStores;

namespace BackupEngine.Cli.Output;

/// <summary>The document that <c>check-store --json</c> prints; when something is missing it is the error document as well.</summary>
internal sealed record CheckStoreDocument(
    bool Ok, string Store, bool HoldsRepository, IReadOnlyList<CheckStoreItem> Checks, IReadOnlyDictionary<string, string> Properties, IReadOnlyList<string> NotChecked)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ExitCode { get; init; }

    public static CheckStoreDocument Of(ObjectStoreReport report, string? problem, int exitCode) => new(
        report.IsSafe,
        report.StoreName,
        report.HoldsRepository,
        [.. report.Checks.Select(check => new CheckStoreItem(NameOf(check.Feature), NameOf(check.Result), check.Detail))],
        report.Properties,
        report.NotChecked)
    {
        Error = problem,
        ExitCode = problem is null ? null : exitCode,
    };

    /// <summary>Returns the name of a feature or result in JSON and in the table.</summary>
    public static string NameOf<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}

/// <summary>One check of the document.</summary>
internal sealed record CheckStoreItem(string Feature, string Result, string Detail);
