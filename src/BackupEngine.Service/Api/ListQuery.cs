using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace BackupEngine.Service.Api;

/// <summary>How a list is asked for: which part of it, in which order, and what it shall hold.</summary>
internal sealed record ListQuery
{
    private static readonly string[] _trueWords = ["1", "t", "true", "on", "y", "yes"];
    private static readonly string[] _falseWords = ["0", "f", "false", "off", "n", "no"];

    /// <summary>The most items to answer.</summary>
    public required int Limit { get; init; }

    public int Offset { get; init; }

    /// <summary>Id of the last item that the caller has seen.</summary>
    public string? Marker { get; init; }

    public IReadOnlyList<SortKey> Sort { get; init; } = [];

    /// <summary>What must equal what, by the API's names.</summary>
    public IReadOnlyDictionary<string, string> Filters { get; init; } = new Dictionary<string, string>();

    public bool AllTenants { get; init; }

    public bool WithCount { get; init; }

    /// <summary>All parameters as they were sent: the next page's address repeats them.</summary>
    private IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; } = [];

    /// <summary>Reads a request's parameters.</summary>
    /// <exception cref="ApiFault">400: which parameter is wrong.</exception>
    public static ListQuery Read(ApiRequest request, int maxItems)
    {
        List<KeyValuePair<string, string>> parameters = [];
        foreach ((string name, StringValues values) in request.Http.Request.Query)
        {
            parameters.AddRange(values.Select(value => new KeyValuePair<string, string>(name, value ?? "")));
        }

        Dictionary<string, string> rest = [];
        foreach ((string name, string value) in parameters)
        {
            if (value.Contains('\0', StringComparison.Ordinal))
            {
                throw ApiFault.InvalidInput($"Invalid value for {name}");
            }

            rest[name] = value;
        }

        int limit = ReadLimit(rest, maxItems);
        int offset = ReadOffset(rest);
        rest.Remove("marker", out string? marker);
        IReadOnlyList<SortKey> sort = ReadSort(rest);
        bool withCount = false;
        if (request.Version >= ApiVersion.Count && rest.Remove("with_count", out string? count))
        {
            withCount = ReadBoolean(count) ?? throw ApiFault.BadRequest($"Value '{count}' for 'with_count' is not a boolean.");
        }

        bool allTenants = false;
        if (rest.Remove("all_tenants", out string? all) && request.Caller.IsAdmin)
        {
            allTenants = ReadBoolean(all) ?? throw ApiFault.BadRequest($"all_tenants must be a boolean, got '{all}'.");
        }

        return new()
        {
            Limit = limit,
            Offset = offset,
            Marker = marker,
            Sort = sort,
            Filters = rest,
            AllTenants = allTenants,
            WithCount = withCount,
            Parameters = parameters,
        };
    }

    /// <summary>The address of the page after the one that ends with an item; null when there is none.</summary>
    public string? Next(string address, int itemsOnPage, string? lastId)
    {
        if (Limit == 0 || itemsOnPage < Limit || lastId is null)
        {
            return null;
        }

        List<KeyValuePair<string, string>> next = [.. Parameters];
        int marker = next.FindIndex(parameter => parameter.Key == "marker");
        if (marker >= 0)
        {
            next[marker] = new("marker", lastId);
        }
        else
        {
            next.Add(new("marker", lastId));
        }

        return address + QueryString.Create(next!);
    }

    private static int ReadLimit(Dictionary<string, string> parameters, int maxItems)
    {
        if (!parameters.Remove("limit", out string? text))
        {
            return maxItems;
        }

        return !IsInteger(text) ? throw ApiFault.BadRequest("limit param must be an integer")
            : text.StartsWith('-') ? throw ApiFault.BadRequest("limit param must be positive")
            : int.TryParse(text, CultureInfo.InvariantCulture, out int limit) ? Math.Min(limit, maxItems) : maxItems;
    }

    private static int ReadOffset(Dictionary<string, string> parameters)
    {
        if (!parameters.Remove("offset", out string? text))
        {
            return 0;
        }

        return !IsInteger(text) ? throw ApiFault.BadRequest("offset must be an integer")
            : text.StartsWith('-') ? throw ApiFault.BadRequest("offset must be >= 0")
            : int.TryParse(text, CultureInfo.InvariantCulture, out int offset) ? offset : throw ApiFault.BadRequest("offset must be <= 2147483647");
    }

    private static List<SortKey> ReadSort(Dictionary<string, string> parameters)
    {
        bool hasKey = parameters.Remove("sort_key", out string? key);
        bool hasDirection = parameters.Remove("sort_dir", out string? direction);
        if (!parameters.Remove("sort", out string? sort))
        {
            return hasKey || hasDirection ? [SortKey.Of(string.IsNullOrEmpty(key) ? "created_at" : key.Trim(), direction?.Trim())] : [];
        }

        if (hasKey || hasDirection)
        {
            throw ApiFault.BadRequest("The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter.");
        }

        return [.. sort.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(part =>
        {
            int colon = part.IndexOf(':', StringComparison.Ordinal);
            return colon < 0 ? SortKey.Of(part, null) : SortKey.Of(part[..colon].Trim(), part[(colon + 1)..].Trim());
        })];
    }

    private static bool IsInteger(string text)
    {
        ReadOnlySpan<char> digits = text.AsSpan().TrimStart("+-");
        return digits.Length > 0 && text.Length - digits.Length <= 1 && !digits.ContainsAnyExceptInRange('0', '9');
    }

    private static bool? ReadBoolean(string text) =>
        _trueWords.Contains(text.Trim().ToLowerInvariant()) ? true : _falseWords.Contains(text.Trim().ToLowerInvariant()) ? false : null;
}
