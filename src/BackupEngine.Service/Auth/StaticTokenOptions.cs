namespace BackupEngine.Service;

/// <summary>A fixed token and whom it stands for.</summary>
public sealed record StaticTokenOptions
{
    /// <summary>The token itself, at least 16 characters; or give <see cref="TokenSha256"/>.</summary>
    public string? Token { get; init; }

    /// <summary>The token's SHA-256 in hexadecimal, so that the configuration holds no secret.</summary>
    public string? TokenSha256 { get; init; }

    /// <summary>The user.</summary>
    public string User { get; init; } = "";

    /// <summary>The project whose things the token gives access to.</summary>
    public string Project { get; init; } = "";

    /// <summary>Whether the token is an administrator's.</summary>
    public bool Admin { get; init; }
}
