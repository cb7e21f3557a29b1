using System.Diagnostics;
using System.Runtime.CompilerServices;
using BackupEngine.Diagnostics;

namespace BackupEngine.ObjectStores;

/// <summary>Counts and times the calls that go through to another store, failed ones too. Disposing of it disposes of nothing: the inner store belongs to who made it.</summary>
internal sealed class CountingObjectStore(IObjectStore inner) : IObjectStore
{
    private const string Ok = "ok";
    private readonly RequestTally _requests = new();

    public string Name => inner.Name;

    public RequestCounts Counts => _requests.Counts;

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        await TimeAsync(StoreCall.Put, () => inner.PutAsync(key, content, condition, cancellationToken)).ConfigureAwait(false);
        Telemetry.StoreSent.Add(content.Length);
    }

    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        int length = await TimeAsync(StoreCall.Get, () => inner.GetAsync(key, offset, destination, cancellationToken)).ConfigureAwait(false);
        Telemetry.StoreReceived.Add(length);
        return length;
    }

    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) =>
        TimeAsync(StoreCall.Head, () => inner.HeadAsync(key, cancellationToken));

    /// <remarks>What is timed is the fetching of pages, not what the caller does with what they list.</remarks>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Call call = Begin(StoreCall.List);
        string result = Ok;
        try
        {
            await using ConfiguredCancelableAsyncEnumerable<ObjectInfo>.Enumerator listing = inner.ListAsync(prefix, cancellationToken).ConfigureAwait(false).GetAsyncEnumerator();
            while (true)
            {
                try
                {
                    if (!await listing.MoveNextAsync())
                        break;
                }
                catch (Exception e)
                {
                    result = NameOf(e);
                    throw;
                }

                long handedOut = Stopwatch.GetTimestamp();
                yield return listing.Current;
                call = call with { Began = call.Began + Stopwatch.GetTimestamp() - handedOut };
            }
        }
        finally
        {
            // Who has found what was looked for goes no further.
            End(call, result);
        }
    }

    public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) =>
        await TimeAsync(StoreCall.Delete, () => inner.DeleteAsync(keys, cancellationToken)).ConfigureAwait(false);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Call Begin(StoreCall kind)
    {
        _requests.Add(kind);
        Operation.CountRequest(kind);
        return new Call(kind, Stopwatch.GetTimestamp());
    }

    private async ValueTask<T> TimeAsync<T>(StoreCall kind, Func<ValueTask<T>> runAsync)
    {
        Call call = Begin(kind);
        string result = Ok;
        try
        {
            return await runAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            result = NameOf(e);
            throw;
        }
        finally
        {
            End(call, result);
        }
    }

    private async ValueTask TimeAsync(StoreCall kind, Func<ValueTask> runAsync) => await TimeAsync(kind, async () =>
    {
        await runAsync().ConfigureAwait(false);
        return true;
    }).ConfigureAwait(false);

    private static void End(Call call, string result)
    {
        if (Telemetry.StoreCallDuration.Enabled)
        {
            Telemetry.StoreCallDuration.Record(
                Stopwatch.GetElapsedTime(call.Began).TotalSeconds, new(Telemetry.CallTag, NameOf(call.Kind)), new(Telemetry.ResultTag, result));
        }
    }

    private static string NameOf(StoreCall kind) => kind switch
    {
        StoreCall.Put => "put",
        StoreCall.Get => "get",
        StoreCall.Head => "head",
        StoreCall.List => "list",
        _ => "delete",
    };

    private static string NameOf(Exception failure) => failure is OperationCanceledException ? "cancelled" : (failure as ObjectStoreException)?.Error switch
    {
        ObjectStoreError.NotFound => "not_found",
        ObjectStoreError.AlreadyExists => "already_exists",
        ObjectStoreError.Changed => "changed",
        ObjectStoreError.ContainerNotFound => "container_not_found",
        ObjectStoreError.AccessDenied => "access_denied",
        ObjectStoreError.OutOfSpace => "out_of_space",
        ObjectStoreError.Unavailable => "unavailable",
        _ => "failed",
    };

    private readonly record struct Call(StoreCall Kind, long Began);
}
