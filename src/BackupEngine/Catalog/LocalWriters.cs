using System.Collections.Concurrent;

namespace BackupEngine.Catalog;

/// <summary>What this process is writing or deleting right now: a process that lives may still have given up on a backup long ago.</summary>
internal static class LocalWriters
{
    private static readonly ConcurrentDictionary<Guid, int> _active = new();

    public static bool IsWriting(Guid id) => _active.ContainsKey(id);

    /// <summary>Counts an id as being written until what is returned is disposed.</summary>
    public static Registration Begin(Guid id)
    {
        _active.AddOrUpdate(id, 1, static (_, count) => count + 1);
        return new Registration(id);
    }

    /// <summary>Ends with its disposal.</summary>
    public readonly struct Registration(Guid id) : IDisposable
    {
        public void Dispose()
        {
            // Two may try the same id at once; it stays until both are done.
            while (_active.TryGetValue(id, out int count))
            {
                if (count > 1 ? _active.TryUpdate(id, count - 1, count) : _active.TryRemove(KeyValuePair.Create(id, count)))
                    return;
            }
        }
    }
}
