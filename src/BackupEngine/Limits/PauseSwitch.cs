namespace BackupEngine.Limits;

/// <summary>
/// Pauses and resumes the operations that it was given to in their options: any number, from any thread, any number of times. A paused operation begins no read, write or
/// transfer of the volume's data; what is under way ends. It keeps its workers and its memory. Cancelling it works as ever.
/// </summary>
public sealed class PauseSwitch
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _resumed;

    /// <summary>Whether operations are to pause.</summary>
    public bool IsPaused => Volatile.Read(ref _resumed) is not null;

    /// <summary>Lets operations pause, until <see cref="Resume"/>.</summary>
    public void Pause()
    {
        lock (_lock)
            _resumed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Lets operations go on.</summary>
    public void Resume()
    {
        TaskCompletionSource? resumed;
        lock (_lock)
        {
            resumed = _resumed;
            _resumed = null;
        }

        resumed?.TrySetResult();
    }

    internal async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref _resumed) is { } resumed)
            await resumed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
