using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BackupEngine.Buffers;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>
/// Where the chunks are that a backup need not store again, by their digests: those that it has stored itself, those that its parent has wherever in the volume,
/// and those of backups that were cut off. Its memory is bounded: where it is full, an entry gives way to a new one, or, on request, none does. Used by all workers at once.
/// </summary>
internal sealed class KnownFrames : IDisposable
{
    /// <summary>Enough for 10,000 chunks.</summary>
    public const int MinBytes = 1 << 20;

    /// <summary>How far from where it belongs an entry may lie.</summary>
    private const int MaxProbes = 16;

    private static readonly int _entryLength = Unsafe.SizeOf<MapEntry>();

    private readonly NativeBuffer _memory;
    private readonly int _mask;
    private readonly bool _keepsFirst;
    private readonly Lock _lock = new();
    private uint _nextToGiveWay;

    /// <summary>Makes an empty table.</summary>
    /// <param name="maxBytes">What it may take; at least <see cref="MinBytes"/>. It takes less when the chunks are few.</param>
    /// <param name="chunkCount">Chunks of the volume.</param>
    /// <param name="keepsFirst">Whether nothing gives way: what backups that were cut off have stored is worth more than what the walk meets later.</param>
    public KnownFrames(long maxBytes, long chunkCount, bool keepsFirst = false)
    {
        _keepsFirst = keepsFirst;
        int capacity = MaxProbes;
        while (capacity < 2 * chunkCount && 2L * capacity * _entryLength <= Math.Min(maxBytes, int.MaxValue))
            capacity *= 2;
        _memory = NativeBuffer.CreateZeroed(capacity * _entryLength);
        _mask = capacity - 1;
    }

    public long SizeBytes => _memory.Memory.Length;

    private Span<MapEntry> Entries => MemoryMarshal.Cast<byte, MapEntry>(_memory.GetSpan());

    /// <summary>Finds a frame of a chunk.</summary>
    public bool TryFind(in ChunkDigest digest, out FrameLocation location)
    {
        lock (_lock)
        {
            int slot = Probe(digest, digest.GetHashCode());
            location = slot < 0 ? default : Entries[slot].Location;
            return !location.IsZero;
        }
    }

    /// <summary>Takes a frame in, unless one of the same chunk is there.</summary>
    public void Add(in MapEntry entry)
    {
        lock (_lock)
            AddLocked(entry);
    }

    /// <summary>Takes the frames of a page in.</summary>
    public void Add(ReadOnlySpan<MapEntry> entries)
    {
        lock (_lock)
        {
            foreach (ref readonly MapEntry entry in entries)
            {
                if (!entry.IsZero)
                    AddLocked(entry);
            }
        }
    }

    public void Dispose() => ((IDisposable)_memory).Dispose();

    private void AddLocked(in MapEntry entry)
    {
        int home = entry.Digest.GetHashCode();
        int slot = Probe(entry.Digest, home);
        if (slot < 0 && _keepsFirst)
            return;
        if (slot < 0)
            slot = (home + (int)(_nextToGiveWay++ % MaxProbes)) & _mask;
        else if (!Entries[slot].IsZero)
            return;
        Entries[slot] = entry;
    }

    /// <summary>Goes from where an entry belongs to where it is, or to the first empty place: no entry lies behind one.</summary>
    /// <returns>Less than 0 when there is neither.</returns>
    private int Probe(in ChunkDigest digest, int home)
    {
        Span<MapEntry> entries = Entries;
        for (int probe = 0; probe < MaxProbes; probe++)
        {
            int slot = (home + probe) & _mask;
            if (entries[slot].IsZero || entries[slot].Digest == digest)
                return slot;
        }

        return -1;
    }
}
