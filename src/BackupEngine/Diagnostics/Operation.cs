using System.Diagnostics;
using BackupEngine.Buffers;

namespace BackupEngine.Diagnostics;

/// <summary>
/// One run of an operation, as telemetry and its own statistics see it. While it runs it is the current one for all that it calls, so that stores and
/// buffers count on its account without being handed it.
/// </summary>
internal sealed class Operation
{
    private static readonly AsyncLocal<Operation?> _current = new();
    private readonly Operation? _parent = _current.Value;
    private readonly KeyValuePair<string, object?> _kind;
    private readonly RequestTally _requests = new();
    private readonly BufferAccount _buffers;
    private readonly Activity? _activity;
    private readonly long _began = Stopwatch.GetTimestamp();
    private TimeSpan _waited;

    private Operation(string kind, BufferAccount account)
    {
        _kind = new(Telemetry.OperationTag, kind);
        _buffers = new BufferAccount(account);
        _activity = Telemetry.Activities.StartActivity(kind);
    }

    /// <summary>What the operation took until now.</summary>
    public OperationStatistics Statistics => new()
    {
        Requests = _requests.Counts,
        PeakBufferBytes = _buffers.PeakBytes,
        WaitedSeconds = Math.Round(_waited.TotalSeconds, 3),
    };

    /// <summary>Runs an operation under a name that telemetry knows it by.</summary>
    /// <param name="kind">The name.</param>
    /// <param name="account">Where its buffers are counted, besides on its own account.</param>
    /// <param name="runAsync">The operation.</param>
    public static async Task<T> RunAsync<T>(string kind, BufferAccount account, Func<Operation, Task<T>> runAsync)
    {
        // What is set here is seen by what is called from here, and by nobody else.
        var operation = _current.Value = new Operation(kind, account);
        BufferAccount.Current = operation._buffers;
        Telemetry.RunningOperations.Add(1, operation._kind);
        try
        {
            T result = await runAsync(operation).ConfigureAwait(false);
            operation.End("done");
            return result;
        }
        catch (Exception e)
        {
            operation.Fail(e);
            throw;
        }
    }

    /// <summary>Counts a call to the store on the account of the operation that makes it, and of those that it is part of.</summary>
    public static void CountRequest(StoreCall call)
    {
        for (Operation? operation = _current.Value; operation is not null; operation = operation._parent)
            operation._requests.Add(call);
    }

    /// <summary>Notes something about the operation on its span.</summary>
    public void Note(string name, object? value) => _activity?.SetTag(name, value);

    /// <summary>Counts the operation as waiting until the task ends.</summary>
    public async ValueTask<T> WaitAsync<T>(ValueTask<T> task)
    {
        if (task.IsCompleted)
            return await task.ConfigureAwait(false);
        long began = Stopwatch.GetTimestamp();
        Telemetry.WaitingOperations.Add(1, _kind);
        try
        {
            return await task.ConfigureAwait(false);
        }
        finally
        {
            Telemetry.WaitingOperations.Add(-1, _kind);
            _waited += Stopwatch.GetElapsedTime(began);
        }
    }

    private void Fail(Exception e)
    {
        if (e is OperationCanceledException)
        {
            End("cancelled");
            return;
        }

        _activity?.SetStatus(ActivityStatusCode.Error, e.Message);
        End("failed", e.GetType().FullName);
    }

    /// <summary>Never throws: listeners of the host see the end of an operation that has succeeded, or failed with an error of its own.</summary>
    private void End(string outcome, string? error = null)
    {
        try
        {
            Report(outcome, error);
        }
        catch (Exception)
        {
            // A listener of the host's telemetry failed.
        }
    }

    private void Report(string outcome, string? error)
    {
        Telemetry.RunningOperations.Add(-1, _kind);
        var tags = new TagList { _kind, new(Telemetry.OutcomeTag, outcome) };
        if (error is not null)
            tags.Add(Telemetry.ErrorTag, error);
        Telemetry.OperationDuration.Record(Stopwatch.GetElapsedTime(_began).TotalSeconds, tags);
        Note(Telemetry.OutcomeTag, outcome);
        Note(Telemetry.ErrorTag, error);
        _activity?.Dispose();
    }
}
