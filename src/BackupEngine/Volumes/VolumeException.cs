namespace BackupEngine.Volumes;

/// <summary>A volume could not be opened, read or written; the message names it.</summary>
public sealed class VolumeException : BackupEngineException
{
    /// <summary>Makes the error.</summary>
    /// <param name="volumeName">What the volume is called.</param>
    /// <param name="message">One line for a person.</param>
    /// <param name="innerException">The system's own error.</param>
    /// <param name="isTransient">Whether the same call may succeed later, as after a timeout.</param>
    public VolumeException(string volumeName, string message, Exception? innerException = null, bool isTransient = false)
        : base(message, innerException)
    {
        VolumeName = volumeName;
        IsTransient = isTransient;
    }

    /// <summary>What the volume is called.</summary>
    public string VolumeName { get; }

    /// <inheritdoc/>
    public override bool IsTransient { get; }
}
