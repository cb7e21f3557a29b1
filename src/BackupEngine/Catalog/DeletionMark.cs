namespace BackupEngine.Catalog;

/// <summary>The content of a deletion mark: the members of <see cref="ProcessIdentity"/>, and one for refreshes.</summary>
internal sealed record DeletionMark(string Host, string System, int ProcessId, string ProcessStart)
{
    /// <inheritdoc cref="ProcessIdentity.Token"/>
    public string Token { get; init => field = value ?? ""; } = "";

    /// <inheritdoc cref="Intent.Refresh"/>
    [global::System.Text.Json.Serialization.JsonIgnore(Condition = global::System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public string? Refresh { get; init; }

    /// <summary>Gets the process that deletes.</summary>
    [global::System.Text.Json.Serialization.JsonIgnore]
    public ProcessIdentity Deleter => new(Host, System, ProcessId, ProcessStart) { Token = Token };

    public static DeletionMark Of(ProcessIdentity deleter, string? refresh) =>
        new(deleter.Host, deleter.System, deleter.ProcessId, deleter.ProcessStart) { Token = deleter.Token, Refresh = refresh };
}
