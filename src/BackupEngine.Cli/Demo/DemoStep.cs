namespace BackupEngine.Cli.Demo;

/// <summary>One step of the tour and what it took.</summary>
/// <param name="Name">What was done.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="BytesRead">Bytes read from the volume, the container or files.</param>
/// <param name="BytesChanged">Bytes that differ from the parent, or were written to the target.</param>
/// <param name="BytesStored">Bytes added to the container.</param>
internal sealed record DemoStep(string Name, double Seconds, long? BytesRead = null, long? BytesChanged = null, long? BytesStored = null);
