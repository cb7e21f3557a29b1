namespace BackupEngine.Catalog;

/// <summary>A record that was to be imported is not one, or does not match the container.</summary>
public sealed class RecordFormatException : BackupEngineException
{
    internal RecordFormatException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
