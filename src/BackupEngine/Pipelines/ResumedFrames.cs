using System.Buffers.Binary;
using System.IO.Hashing;
using BackupEngine.Chunking;
using BackupEngine.Compression;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>
/// What backups that were cut off have stored: every chunk in their packs, read, decoded and hashed anew, so that nothing is believed of them. A chunk of the volume
/// that is the same needs no second upload. Memory is bounded: of more chunks than half of what the backup may use can hold, the rest is stored again.
/// </summary>
internal sealed class ResumedFrames
{
    private const int BytesPerFrame = 48;

    private readonly List<Frame> _frames = [];
    private readonly Dictionary<PackId, long> _packSizes = [];
    private readonly int _maxFrames;

    private ResumedFrames(long maxMemoryBytes) => _maxFrames = (int)Math.Min(int.MaxValue / BytesPerFrame, maxMemoryBytes / 2 / BytesPerFrame);

    /// <summary>Reads the packs of the backups that a plan resumes.</summary>
    /// <param name="own">The manifest of the new backup; its backup table names them.</param>
    public static async Task<ResumedFrames> ReadAsync(IObjectStore store, BackupPlan plan, Manifest own, CancellationToken cancellationToken)
    {
        var resumed = new ResumedFrames(plan.MaxMemoryBytes);
        using var decompressor = new ChunkDecompressor();
        byte[] plain = new byte[plan.Geometry.ChunkSize];
        byte[] pack = [];
        for (int ordinal = own.Backups.Count - 1 - plan.Resumed.Count; ordinal < own.Backups.Count - 1; ordinal++)
        {
            await foreach (ObjectInfo info in store.ListAsync(StoreKeys.PacksOf(own.VolumeId, own.Backups[ordinal]), cancellationToken).ConfigureAwait(false))
            {
                if (!StoreKeys.TryParsePack(info.Key, out _, out _, out uint sequence) || info.SizeBytes > BackupPipeline.MaxPackLength + (2L * ChunkSizes.Max))
                    continue;
                if (pack.Length < info.SizeBytes)
                    pack = GC.AllocateUninitializedArray<byte>((int)info.SizeBytes);
                int length = await store.GetAsync(info.Key, 0, pack.AsMemory(0, (int)info.SizeBytes), cancellationToken).ConfigureAwait(false);
                resumed.Add(pack.AsSpan(0, length), new PackId((uint)ordinal, sequence), own, decompressor, plain);
            }
        }

        resumed._frames.Sort((left, right) => left.Chunk.CompareTo(right.Chunk));
        return resumed;
    }

    /// <summary>Finds a chunk.</summary>
    /// <param name="chunk">Which chunk of the volume.</param>
    /// <param name="digest">What it must hash to.</param>
    /// <param name="location">Where its frame is.</param>
    /// <param name="packSizeBytes">Size of the pack that holds it.</param>
    public bool TryFind(long chunk, in ChunkDigest digest, out FrameLocation location, out long packSizeBytes)
    {
        // The packs of two attempts may hold the same chunk, with different content.
        UInt128 wanted = Shorten(digest);
        for (int index = FindFirst(chunk); index < _frames.Count && _frames[index].Chunk == chunk; index++)
        {
            if (_frames[index].Digest != wanted)
                continue;
            location = _frames[index].Location;
            packSizeBytes = _packSizes[location.Pack];
            return true;
        }

        location = default;
        packSizeBytes = 0;
        return false;
    }

    private int FindFirst(long chunk)
    {
        int low = 0;
        for (int high = _frames.Count; low < high;)
        {
            int middle = low + ((high - low) / 2);
            if (_frames[middle].Chunk < chunk)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>Goes from frame to frame until one is not as it was written: the index begins there, or damage.</summary>
    private void Add(ReadOnlySpan<byte> pack, PackId id, Manifest own, ChunkDecompressor decompressor, byte[] plain)
    {
        if (!IsPackOf(pack, own.Backups[(int)id.BackupOrdinal], id.Sequence))
            return;
        _packSizes[id] = pack.Length;
        int offset = PackFormat.HeaderSize;
        while (_frames.Count < _maxFrames && FrameHeader.TryRead(pack[offset..], out FrameHeader header) && header.StoredLength <= pack.Length - offset - FrameFormat.HeaderSize)
        {
            ReadOnlySpan<byte> frame = pack.Slice(offset, FrameFormat.HeaderSize + header.StoredLength);
            if (!FrameHeader.IsIntact(frame))
                return;
            long chunk = header.Number < (ulong)own.Geometry.ChunkCount ? (long)header.Number : -1;
            if (header.Kind == FrameKind.Chunk && chunk >= 0 && header.PlainLength == own.Geometry.GetChunkLength(chunk)
                && decompressor.TryDecompress(header.Codec, frame[FrameFormat.HeaderSize..], plain.AsSpan(0, header.PlainLength)))
            {
                UInt128 digest = Shorten(own.Hasher.Hash(plain.AsSpan(0, header.PlainLength)));
                _frames.Add(new Frame(chunk, new FrameLocation(id.BackupOrdinal, id.Sequence, (uint)offset, (uint)frame.Length), digest));
            }

            offset += frame.Length;
        }
    }

    private static bool IsPackOf(ReadOnlySpan<byte> pack, Guid backupId, uint sequence) =>
        pack.Length >= PackFormat.MinPackSize && pack.StartsWith(PackFormat.Magic)
        && BinaryPrimitives.ReadUInt16LittleEndian(pack[PackFormat.Header.Version..]) == FormatVersion.Current
        && BinaryPrimitives.ReadUInt32LittleEndian(pack[PackFormat.Header.RequiredFeatures..]) == 0
        && new Guid(pack.Slice(PackFormat.Header.BackupId, 16), bigEndian: true) == backupId
        && BinaryPrimitives.ReadUInt32LittleEndian(pack[PackFormat.Header.Sequence..]) == sequence
        && XxHash3.HashToUInt64(pack[..PackFormat.Header.Checksum]) == BinaryPrimitives.ReadUInt64LittleEndian(pack[PackFormat.Header.Checksum..]);

    /// <summary>128 bits tell chunks of one place of one volume apart, of whichever hash.</summary>
    private static UInt128 Shorten(in ChunkDigest digest)
    {
        Span<byte> bytes = stackalloc byte[16];
        digest.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt128LittleEndian(bytes);
    }

    private readonly record struct Frame(long Chunk, FrameLocation Location, UInt128 Digest);
}
