namespace BackupEngine.Tests.Reliability;

/// <summary>A point at which an operation waits until it is told to go on.</summary>
internal sealed class Stop
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goesOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the operation is there.</summary>
    public Task Reached => _reached.Task;

    public void GoOn() => _goesOn.TrySetResult();

    /// <summary>For the operation: waits, unless it was told to go on before.</summary>
    public Task WaitAsync()
    {
        _reached.TrySetResult();
        return _goesOn.Task;
    }
}
