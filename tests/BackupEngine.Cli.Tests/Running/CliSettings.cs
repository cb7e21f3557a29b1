namespace BackupEngine.Cli.Tests.Running;

/// <summary>What the program finds around it.</summary>
internal sealed record CliSettings
{
    /// <summary>Variables to set; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>What stdin holds.</summary>
    public string Input { get; init; } = "";

    public string? WorkingDirectory { get; init; }
}
