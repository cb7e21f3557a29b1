namespace BackupEngine.Service;

/// <summary>The service cannot start the way it is configured; the message says which setting to change.</summary>
public sealed class ServiceConfigurationException : Exception
{
    internal ServiceConfigurationException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
