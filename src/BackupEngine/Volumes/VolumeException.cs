namespace BackupEngine.Volumes;

/// <summary>A volume could not be opened, read or written; the message names it.</summary>
public sealed class VolumeException : BackupEngineException
{
    /// <summary>Makes the error.</summary>
    /// <param name="volumeName">What the volume is called.</param>
    /// <param name="message">One line for a person.</param>
    /// <param name="innerException">The system's own error.</param>
    public VolumeException(string volumeName, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        VolumeName = volumeName;
    }

    /// <summary>What the volume is called.</summary>
    public string VolumeName { get; }
}
