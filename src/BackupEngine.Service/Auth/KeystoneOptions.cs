namespace BackupEngine.Service;

/// <summary>Where OpenStack's identity service is, and what is believed of it.</summary>
public sealed record KeystoneOptions
{
    /// <summary>Its address, with or without <c>/v3</c>.</summary>
    public string? Url { get; init; }

    /// <summary>How long an answer about a token is believed, in seconds: how long a revoked token may still work. Default: 60.</summary>
    public int CacheSeconds { get; init; } = 60;

    /// <summary>Roles that make an administrator. Default: <c>admin</c>.</summary>
    public IReadOnlyList<string> AdminRoles { get; init; } = ["admin"];
}
