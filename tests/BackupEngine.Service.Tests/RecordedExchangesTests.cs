using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Service.Tests;

/// <summary>Every recorded exchange with a real Cinder, replayed: ours answers alike, or is listed here and in docs/service.md with the reason.</summary>
public sealed partial class RecordedExchangesTests
{
    private const string Project = ServiceUnderTest.Project;

    /// <summary>Those that differ on purpose, and what ours answers.</summary>
    private static readonly Dictionary<string, (int Status, string? Message)> _different = new()
    {
        ["url.unknown"] = (404, "The resource could not be found."),
        ["url.put_collection"] = (404, "The resource could not be found."),
        ["create.control_char_description"] = (400, "Invalid input for field/attribute description. Value: a\u0001b. 'a\\x01b' does not match '^[[:print:]]*$'"),
        ["restore.null_restore"] = (400, "Invalid input for field/attribute restore. Value: None. None is not of type 'object'"),
        ["update.null"] = (400, "Invalid input for field/attribute backup. Value: None. None is not of type 'object'"),
    };

    /// <summary>Those whose bodies differ in the named parts, which belong to the server and not to the API.</summary>
    private static readonly Dictionary<string, string[]> _differentParts = new()
    {
        ["versions.root"] = ["$.versions"],
        ["import.deleted_record"] = ["$.backup.name"],
        ["quota.set"] = ["$.quota_set"],
        ["limits"] = ["$.limits.absolute"],
        ["export.ok"] = ["$.backup-record.backup_service", "$.backup-record.backup_url"],
    };

    [LongRunning]
    [Fact]
    public async Task Every_recorded_exchange_is_answered_alike()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(new() { InUseVolumesAreQuiesced = true }, runsJobs: false);
        RecordedWorld world = new(service.Catalog, service.VolumesDirectory);
        List<string> failures = [];
        foreach (RecordedExchange exchange in RecordedExchange.All)
        {
            await world.SettleAsync();
            await RecordedArrangements.ArrangeAsync(world, service, exchange);
            Answer answer = await ReplayAsync(service, exchange);
            Dictionary<string, string> ids = [];
            if (Compare(exchange, answer, ids) is { } difference)
            {
                failures.Add($"{exchange.Name}: {exchange.Method} {exchange.Path}\n  recorded {exchange.Status} {exchange.Body?.ToJsonString()}\n  ours     {answer.Status} {answer.Text}\n  {difference}");
            }

            foreach ((string theirs, string ours) in ids)
            {
                await world.RenameAsync(ours, theirs);
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {RecordedExchange.All.Count} differ:\n{string.Join("\n", failures)}");
        Assert.Equal(145, RecordedExchange.All.Count);
    }

    private static Task<Answer> ReplayAsync(ServiceUnderTest service, RecordedExchange exchange)
    {
        string path = Substitute(exchange.Path, []);
        string? type = (string?)exchange.RequestHeaders["Content-Type"];
        StringContent? body = exchange.RequestText is { } text ? new StringContent(Substitute(text, []), Encoding.UTF8, type ?? "application/json") : null;
        return service.SendAsync(new HttpMethod(exchange.Method), path, body, (string?)exchange.RequestHeaders["OpenStack-API-Version"], exchange.Name == "auth.none" ? null : "user1:" + Project);
    }

    private static string? Compare(RecordedExchange exchange, Answer answer, Dictionary<string, string> ids)
    {
        if (_different.TryGetValue(exchange.Name, out var ours))
        {
            return answer.Status == ours.Status && (ours.Message is null || answer.Message == ours.Message) ? null : "not even as documented";
        }

        if (answer.Status != exchange.Status)
        {
            return "status";
        }

        foreach ((string name, JsonNode? value) in exchange.Headers)
        {
            if (exchange.Status != 204 && answer.Headers.GetValueOrDefault(name) != (string?)value)
            {
                return $"header {name}: {answer.Headers.GetValueOrDefault(name)}";
            }
        }

        string[] ignored = _differentParts.GetValueOrDefault(exchange.Name, []);
        return exchange.Body is JsonObject expected ? Compare("$", expected, JsonNode.Parse(answer.Text), ids, ignored) : answer.Text.Length == 0 ? null : "body";
    }

    private static string? Compare(string path, JsonNode? expected, JsonNode? actual, Dictionary<string, string> ids, string[] ignored)
    {
        if (ignored.Contains(path))
        {
            return null;
        }

        switch (expected, actual)
        {
            case (JsonObject left, JsonObject right):
                string[] names = [.. left.Select(pair => pair.Key)];
                return !names.Order().SequenceEqual(right.Select(pair => pair.Key).Order())
                    ? $"{path}: fields {string.Join(" ", right.Select(pair => pair.Key))}"
                    : names.Select(name => Compare($"{path}.{name}", left[name], right[name], ids, ignored)).FirstOrDefault(difference => difference is not null);
            case (JsonArray left, JsonArray right):
                return left.Count != right.Count
                    ? $"{path}: {right.Count} items for {left.Count}"
                    : left.Select((item, i) => Compare($"{path}[{i}]", item, right[i], ids, ignored)).FirstOrDefault(difference => difference is not null);
            case (JsonValue left, JsonValue right) when left.GetValueKind() == System.Text.Json.JsonValueKind.String && right.GetValueKind() == System.Text.Json.JsonValueKind.String:
                return CompareText(path, (string)left!, (string)right!, ids);
            default:
                return JsonNode.DeepEquals(expected, actual) ? null : $"{path}: {actual?.ToJsonString() ?? "null"}";
        }
    }

    private static string? CompareText(string path, string expected, string actual, Dictionary<string, string> ids)
    {
        // A new id, or a time of ours, stands where theirs stood.
        if (path is "$.backup.id" or "$.snapshot.id" or "$.restore.volume_id" && Uuid().IsMatch(expected) && Uuid().IsMatch(actual) && expected != actual)
        {
            ids[expected] = actual;
        }

        bool areTimes = Time().IsMatch(expected) && Time().IsMatch(actual);
        bool isServersOwn = path is "$.volume.volume_type" or "$.volume.os-vol-host-attr:host" || path.EndsWith("].volume_type", StringComparison.Ordinal) || path.EndsWith("].os-vol-host-attr:host", StringComparison.Ordinal);
        return areTimes || isServersOwn || Substitute(expected, ids) == actual ? null : $"{path}: {actual}";
    }

    private static string Substitute(string text, Dictionary<string, string> ids)
    {
        StringBuilder result = new(text.Replace("PROJECT", Project, StringComparison.Ordinal).Replace("//HOST/", "//host/", StringComparison.Ordinal));
        foreach ((string theirs, string ours) in ids)
        {
            result.Replace(theirs, ours);
        }

        return result.ToString();
    }

    [GeneratedRegex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    private static partial Regex Uuid();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$")]
    private static partial Regex Time();
}
