using System.Runtime.CompilerServices;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.Tests.Repository;

namespace BackupEngine.Tests.Reliability;

/// <summary>
/// A store of which each listing replaces one record while it runs, and does not show it, as a directory on btrfs does. The same record is not replaced during two listings
/// in a row.
/// </summary>
internal sealed class ReplacedWhileListedStore(IObjectStore inner, int seed) : IObjectStore
{
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();
    private string? _last;

    /// <summary>Gets how many times a listing did not show a record that was there all the time.</summary>
    public int Omitted { get; private set; }

    public string Name => inner.Name;

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default) =>
        inner.PutAsync(key, content, condition, cancellationToken);

    public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        inner.GetAsync(key, offset, destination, cancellationToken);

    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        List<ObjectInfo> all = [];
        await foreach (ObjectInfo info in inner.ListAsync(prefix, cancellationToken))
            all.Add(info);
        string[] records = [.. all.Select(info => info.Key).Where(key => key.StartsWith(StoreKeys.Records, StringComparison.Ordinal))];
        string? replaced = records.Length == 0 ? null : Choose(records);
        if (replaced is not null && StoreKeys.TryParseRecord(replaced, out string volumeId, out Guid id))
            await new RecordStore(inner).RenewRecordAsync(RecordStore.CreateStub(volumeId, id, BackupStatus.Available, null), DateTimeOffset.UtcNow, cancellationToken);
        foreach (ObjectInfo info in all.Where(info => info.Key != replaced))
            yield return info;
    }

    public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => inner.DeleteAsync(keys, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private string? Choose(string[] records)
    {
        lock (_lock)
        {
            string[] others = [.. records.Where(key => key != _last)];
            _last = others.Length == 0 ? null : others[_random.Next(others.Length)];
            Omitted += _last is null ? 0 : 1;
            return _last;
        }
    }
}
