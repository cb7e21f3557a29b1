namespace BackupEngine.Service.Api;

/// <summary>One column of an order.</summary>
internal readonly record struct SortKey(string Column, bool Descending)
{
    public static SortKey Of(string column, string? direction) => new(column, direction switch
    {
        null or "" or "desc" => true,
        "asc" => false,
        _ => throw ApiFault.InvalidInput("Unknown sort direction, must be 'desc' or 'asc'."),
    });
}
