using BackupEngine.Buffers;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pruning;

/// <summary>Stores the packs of one repack, one after the other: there is one buffer.</summary>
/// <param name="store">Where to.</param>
/// <param name="volumeId">The volume under whose prefix they lie.</param>
/// <param name="id">The repack's id, which stands in the backup tables of the manifests that it writes.</param>
/// <param name="ordinal">Where it stands there.</param>
internal sealed class RepackWriter(IObjectStore store, string volumeId, Guid id, uint ordinal) : IDisposable
{
    /// <summary>Bytes of its buffer.</summary>
    public const int PackLength = 32 << 20;

    private readonly NativeBuffer _buffer = new(PackLength);
    private readonly Dictionary<PackId, long> _sizes = [];
    private PackWriter? _pack;
    private uint _lastSequence;

    public Guid Id => id;

    public uint Ordinal => ordinal;

    /// <summary>Bytes of all packs that were stored.</summary>
    public long BytesStored => _sizes.Values.Sum();

    /// <summary>Bytes of a pack that was stored.</summary>
    public long GetSize(PackId pack) => _sizes[pack];

    /// <summary>Copies a frame as it is.</summary>
    public async ValueTask<FrameLocation> AppendFrameAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        if (Open().TryAppendFrame(frame.Span, out FrameLocation location))
            return location;
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        return Open().TryAppendFrame(frame.Span, out location) ? location : throw new InvalidOperationException("A frame does not fit into an empty pack.");
    }

    /// <summary>Stores a page.</summary>
    public async ValueTask<PageEntry> AppendPageAsync(long number, ReadOnlyMemory<byte> plain, CancellationToken cancellationToken)
    {
        if (!Open().TryAppendPage(number, plain.Span, out FrameLocation location, out ulong checksum))
        {
            await FlushAsync(cancellationToken).ConfigureAwait(false);
            if (!Open().TryAppendPage(number, plain.Span, out location, out checksum))
                throw new InvalidOperationException("A page does not fit into an empty pack.");
        }

        return new PageEntry(location, checksum);
    }

    /// <summary>Stores what is not stored yet.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_pack is not { } full)
            return;
        _pack = null;
        ReadOnlyMemory<byte> content = full.Finish();
        await store.PutAsync(StoreKeys.Pack(volumeId, id, full.Id.Sequence), content, PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
        _sizes[full.Id] = content.Length;
    }

    public void Dispose() => ((IDisposable)_buffer).Dispose();

    private PackWriter Open() => _pack ??= new PackWriter(_buffer, new PackId(ordinal, ++_lastSequence), id);
}
