namespace BackupEngine.Cli.Tests.Running;

/// <summary>What the program finds around it.</summary>
internal sealed record CliSettings
{
    /// <summary>Variables to set; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>What stdin holds.</summary>
    public string Input { get; init; } = "";

    /// <summary>Whether the program is started with SIGINT ignored, as shells start the background jobs of a script.</summary>
    public bool StartsWithInterruptIgnored { get; init; }

    public string? WorkingDirectory { get; init; }
}
