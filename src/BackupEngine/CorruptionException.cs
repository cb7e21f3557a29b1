namespace BackupEngine;

/// <summary>Stored bytes are missing or are not what was written. Trying again does not help; the message names object and place.</summary>
public sealed class CorruptionException : BackupEngineException
{
    internal CorruptionException(string key, long? offset, string problem, Exception? innerException = null)
        : base(offset is null ? $"{key}: {problem}" : $"{key} at byte {offset}: {problem}", innerException)
    {
        Key = key;
        Offset = offset;
        Problem = problem;
    }

    /// <summary>The object that is missing or damaged.</summary>
    public string Key { get; }

    /// <summary>Where in the object, or null for the whole.</summary>
    public long? Offset { get; }

    /// <summary>What is wrong, in words.</summary>
    public string Problem { get; }
}
