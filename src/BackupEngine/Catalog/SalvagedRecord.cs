using System.Globalization;
using System.Text.RegularExpressions;

namespace BackupEngine.Catalog;

/// <summary>Members of a damaged record whose lines can still be read.</summary>
/// <param name="ManifestKey">The manifest that it names; unproven, for the damage may be in just this line.</param>
/// <param name="Made">When the backup was made: two lines say the same.</param>
internal sealed partial record SalvagedRecord(string? ManifestKey, DateTimeOffset? Made)
{
    public static SalvagedRecord Of(string json)
    {
        Match manifest = Manifest().Match(json);
        DateTimeOffset? created = ReadTime("created_at");
        return new SalvagedRecord(manifest.Success ? manifest.Groups["key"].Value : null, created == ReadTime("data_timestamp") ? created : null);

        DateTimeOffset? ReadTime(string member) =>
            Time().Matches(json).FirstOrDefault(match => match.Groups["member"].Value == member) is { } found
            && DateTimeOffset.TryParse(found.Groups["time"].Value, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset time) ? time : null;
    }

    [GeneratedRegex("""^  "manifest": "(?<key>volumes/[A-Za-z0-9][A-Za-z0-9._-]{0,127}/manifests/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})",?\r?$""", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Manifest();

    [GeneratedRegex("""^  "(?<member>created_at|data_timestamp)": "(?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))",?\r?$""", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Time();
}
