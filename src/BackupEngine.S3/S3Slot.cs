namespace BackupEngine.S3;

/// <summary>A transfer's right to a connection, until it is disposed; small ones need none.</summary>
internal readonly struct S3Slot(SemaphoreSlim? slots) : IDisposable
{
    public void Dispose() => slots?.Release();
}
