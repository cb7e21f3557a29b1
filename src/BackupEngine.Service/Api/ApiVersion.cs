using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Primitives;

namespace BackupEngine.Service.Api;

/// <summary>A microversion of the API, and how a request asks for one.</summary>
internal readonly partial record struct ApiVersion(int Major, int Minor) : IComparable<ApiVersion>
{
    public const string Header = "OpenStack-API-Version";

    public static readonly ApiVersion Min = new(3, 0);
    public static readonly ApiVersion Max = new(3, 70);

    public static readonly ApiVersion Update = new(3, 9);
    public static readonly ApiVersion ProjectInDetails = new(3, 18);
    public static readonly ApiVersion StrictFilters = new(3, 31);
    public static readonly ApiVersion LikeFilters = new(3, 34);
    public static readonly ApiVersion SortByName = new(3, 37);
    public static readonly ApiVersion Metadata = new(3, 43);
    public static readonly ApiVersion Count = new(3, 45);
    public static readonly ApiVersion VolumeFromBackup = new(3, 47);
    public static readonly ApiVersion CreateInZone = new(3, 51);
    public static readonly ApiVersion UserInDetails = new(3, 56);
    public static readonly ApiVersion EncryptionKey = new(3, 64);

    /// <summary>The version that a request's header asks for; without one, the lowest.</summary>
    /// <exception cref="ApiFault">400 or 406: the header is malformed, or asks for what there is not.</exception>
    public static ApiVersion Negotiate(StringValues header)
    {
        foreach (string? line in header)
        {
            foreach (string part in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (part.StartsWith("volume ", StringComparison.OrdinalIgnoreCase))
                {
                    return Parse(part["volume ".Length..].Trim());
                }
            }
        }

        return Min;
    }

    public static bool operator <(ApiVersion left, ApiVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(ApiVersion left, ApiVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(ApiVersion left, ApiVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ApiVersion left, ApiVersion right) => left.CompareTo(right) >= 0;

    public int CompareTo(ApiVersion other) => (Major, Minor).CompareTo((other.Major, other.Minor));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    private static ApiVersion Parse(string text)
    {
        if (text.Equals("latest", StringComparison.OrdinalIgnoreCase))
        {
            return Max;
        }

        Match match = Form().Match(text);
        if (!match.Success)
        {
            throw ApiFault.BadRequest($"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum.");
        }

        ApiVersion version = new(int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture));
        return version >= Min && version <= Max
            ? version
            : throw new ApiFault(406, "computeFault", $"Version {version} is not supported by the API. Minimum is {Min} and maximum is {Max}.");
    }

    [GeneratedRegex(@"^([1-9][0-9]{0,5})\.([1-9][0-9]{0,5}|0)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
