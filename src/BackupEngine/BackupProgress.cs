namespace BackupEngine;

/// <summary>How far an operation is. Reported from many threads, a few times a second; the last report has all bytes done.</summary>
/// <param name="BytesDone">Bytes of the volume dealt with, holes and unchanged parts among them.</param>
/// <param name="BytesTotal">Bytes of the volume to deal with.</param>
/// <param name="BytesRead">Bytes read: from the volume (backup), or from the container (restore).</param>
/// <param name="BytesChanged">Bytes that differ from the parent (backup) or were written to the target (restore).</param>
/// <param name="BytesStored">Bytes added to the container.</param>
public readonly record struct BackupProgress(long BytesDone, long BytesTotal, long BytesRead, long BytesChanged, long BytesStored);
