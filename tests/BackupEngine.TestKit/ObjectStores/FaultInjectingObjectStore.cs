using System.Runtime.CompilerServices;
using BackupEngine.ObjectStores;

namespace BackupEngine.TestKit.ObjectStores;

/// <summary>Counts the calls to another store, and makes one of them go wrong. Safe to call from many threads; with several, which call is the n-th is up to them.</summary>
public sealed class FaultInjectingObjectStore(IObjectStore inner, int seed) : IObjectStore
{
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();
    private readonly List<Func<IObjectStore, ValueTask>> _late = [];
    private int _calls;

    /// <summary>The call that goes wrong, from 1; 0 for none.</summary>
    public int FailingCall { get; init; }

    /// <summary>Whether all later calls fail as well, as when a store has vanished.</summary>
    public bool FailsFromThenOn { get; init; }

    public StoreFault Fault { get; init; }

    public ObjectStoreError Error { get; init; } = ObjectStoreError.Unavailable;

    /// <summary>Called before every call, with its number: for watching, or for doing something else in between.</summary>
    public Func<int, Task>? BeforeCall { get; init; }

    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Whether the fault has really happened: not every fault fits every call.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Whether anything is left to be done by calls that timed out.</summary>
    public bool HasLateCalls => _late.Count > 0;

    /// <summary>The key, or the first, of the call that failed.</summary>
    public string? FailedKey { get; private set; }

    public string Name => inner.Name;

    /// <summary>Does what calls that timed out left to be done.</summary>
    /// <param name="copy">Where; null for the store that was called.</param>
    public async Task FinishLateCallsAsync(IObjectStore? copy = null)
    {
        foreach (Func<IObjectStore, ValueTask> late in _late)
        {
            try
            {
                await late(copy ?? inner);
            }
            catch (ObjectStoreException)
            {
                // Nobody waits for the answer.
            }
        }
    }

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        StoreFault? fault = await BeginAsync();
        byte[] copy = content.ToArray();
        await ApplyAsync(fault, key, store => store.PutAsync(key, copy, condition, CancellationToken.None));
    }

    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        StoreFault? fault = await BeginAsync();
        if (fault is StoreFault.ErrorBefore or StoreFault.Timeout)
            throw Fail(key);
        int read = await inner.GetAsync(key, offset, destination, cancellationToken);
        if (fault == StoreFault.ErrorAfter)
            throw Fail(key);
        if (fault is null || read == 0)
            return read;
        HasFailed = true;
        if (fault == StoreFault.TruncatedRead)
            return Next(read);
        destination.Span[Next(read)] ^= (byte)(1 << Next(8));
        return read;
    }

    public async ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default)
    {
        StoreFault? fault = await BeginAsync();
        ThrowIfError(fault, key);
        return await inner.HeadAsync(key, cancellationToken);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        StoreFault? fault = await BeginAsync();
        if (fault is StoreFault.ErrorBefore or StoreFault.Timeout)
            throw Fail(prefix);
        await foreach (ObjectInfo info in inner.ListAsync(prefix, cancellationToken))
            yield return info;

        // A listing that fails has already told a part.
        ThrowIfError(fault, prefix);
    }

    public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        StoreFault? fault = await BeginAsync();
        if (fault == StoreFault.ErrorBefore && keys.Count > 1)
        {
            // A batch may be cut off in its middle.
            await inner.DeleteAsync([.. keys.Take(Next(keys.Count))], CancellationToken.None);
        }

        string[] copy = [.. keys];
        await ApplyAsync(fault, keys.FirstOrDefault(), store => store.DeleteAsync(copy, CancellationToken.None));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async ValueTask<StoreFault?> BeginAsync()
    {
        int call = Interlocked.Increment(ref _calls);
        if (BeforeCall is not null)
            await BeforeCall(call);
        return FailingCall > 0 && (call == FailingCall || (FailsFromThenOn && call > FailingCall)) ? Fault : null;
    }

    private async ValueTask ApplyAsync(StoreFault? fault, string? key, Func<IObjectStore, ValueTask> effect)
    {
        switch (fault)
        {
            case StoreFault.ErrorBefore:
                throw Fail(key);
            case StoreFault.ErrorAfter:
                await effect(inner);
                throw Fail(key);
            case StoreFault.Timeout:
                lock (_lock)
                    _late.Add(effect);
                throw Fail(key);
            default:
                await effect(inner);
                break;
        }
    }

    private void ThrowIfError(StoreFault? fault, string key)
    {
        if (fault is StoreFault.ErrorBefore or StoreFault.ErrorAfter or StoreFault.Timeout)
            throw Fail(key);
    }

    private ObjectStoreException Fail(string? key)
    {
        HasFailed = true;
        FailedKey ??= key;
        return new ObjectStoreException(Error, key, $"{Name}: {key}: injected fault");
    }

    private int Next(int end)
    {
        lock (_lock)
            return _random.Next(end);
    }
}
