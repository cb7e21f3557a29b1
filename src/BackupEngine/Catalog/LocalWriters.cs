using System.Collections.Concurrent;

namespace BackupEngine.Catalog;

/// <summary>What one process writes or deletes right now, and what it has given up: a process that lives may have ended a backup long ago.</summary>
/// <param name="identity">The process.</param>
internal sealed class LocalWriters(ProcessIdentity identity)
{
    private const int MaxEnded = 100_000;

    private readonly ConcurrentDictionary<Guid, int> _active = new();
    private readonly ConcurrentDictionary<Guid, bool> _ended = new();

    /// <summary>Gets those of this process.</summary>
    public static LocalWriters Current { get; } = new(ProcessIdentity.Current);

    /// <summary>Gets the process as intents and marks name it.</summary>
    public ProcessIdentity Identity => identity;

    /// <summary>Counts an id as being written until what is returned is disposed.</summary>
    public Registration Begin(Guid id)
    {
        _active.AddOrUpdate(id, 1, static (_, count) => count + 1);
        return new Registration(this, id);
    }

    /// <summary>
    /// Gets a value that indicates whether it is known that a process does not write an id any more. An id that this process has never begun, although the intent names this
    /// process, is that of its copy in a cloned machine, of which nothing is known.
    /// </summary>
    public bool HasExited(ProcessIdentity writer, Guid id) => writer == identity
        ? !_active.ContainsKey(id) && _ended.ContainsKey(id)
        : writer.HasExited();

    private void End(Guid id)
    {
        // Past the bound, leftovers of this process count as active until they are stale.
        if (_ended.Count < MaxEnded)
            _ended[id] = true;

        // Two may try the same id at once; it stays until both are done.
        while (_active.TryGetValue(id, out int count))
        {
            if (count > 1 ? _active.TryUpdate(id, count - 1, count) : _active.TryRemove(KeyValuePair.Create(id, count)))
                return;
        }
    }

    /// <summary>Ends with its disposal.</summary>
    public readonly struct Registration(LocalWriters owner, Guid id) : IDisposable
    {
        public void Dispose() => owner.End(id);
    }
}
