using System.Buffers.Binary;
using System.IO.Hashing;
using BackupEngine.Compression;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>
/// What backups that were cut off have stored: every chunk in their packs, read, decoded and hashed anew, so that nothing is believed of them. A chunk of the volume
/// that is the same needs no second upload.
/// </summary>
internal static class ResumedFrames
{
    /// <summary>Reads the packs of the backups that a plan resumes.</summary>
    /// <param name="own">The manifest of the new backup; its backup table names them.</param>
    /// <param name="known">Takes the frames.</param>
    /// <returns>The sizes of their packs.</returns>
    public static async Task<IReadOnlyDictionary<PackId, long>> ReadAsync(IObjectStore store, BackupPlan plan, Manifest own, KnownFrames known, CancellationToken cancellationToken)
    {
        var sizes = new Dictionary<PackId, long>();
        if (plan.Resumed.Count == 0)
            return sizes;
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
                var id = new PackId((uint)ordinal, sequence);
                if (!IsPackOf(pack.AsSpan(0, length), own.Backups[ordinal], sequence))
                    continue;
                sizes[id] = length;
                AddChunks(pack.AsSpan(0, length), id, own, known, decompressor, plain);
            }
        }

        return sizes;
    }

    /// <summary>Goes from frame to frame until one is not as it was written: the index begins there, or damage.</summary>
    private static void AddChunks(ReadOnlySpan<byte> pack, PackId id, Manifest own, KnownFrames known, ChunkDecompressor decompressor, byte[] plain)
    {
        int offset = PackFormat.HeaderSize;
        while (FrameHeader.TryRead(pack[offset..], out FrameHeader header) && header.StoredLength <= pack.Length - offset - FrameFormat.HeaderSize)
        {
            ReadOnlySpan<byte> frame = pack.Slice(offset, FrameFormat.HeaderSize + header.StoredLength);
            if (!FrameHeader.IsIntact(frame))
                return;
            if (header.Kind == FrameKind.Chunk && header.PlainLength <= plain.Length
                && decompressor.TryDecompress(header.Codec, frame[FrameFormat.HeaderSize..], plain.AsSpan(0, header.PlainLength)))
            {
                var location = new FrameLocation(id.BackupOrdinal, id.Sequence, (uint)offset, (uint)frame.Length);
                known.Add(new MapEntry(location, own.Hasher.Hash(plain.AsSpan(0, header.PlainLength))));
            }

            offset += frame.Length;
        }
    }

    private static bool IsPackOf(ReadOnlySpan<byte> pack, Guid backupId, uint sequence) =>
        pack.Length >= PackFormat.MinPackSize && pack.StartsWith(PackFormat.Magic)
        && BinaryPrimitives.ReadUInt16LittleEndian(pack[PackFormat.Header.Version..]) == PackFormat.Version
        && BinaryPrimitives.ReadUInt32LittleEndian(pack[PackFormat.Header.RequiredFeatures..]) == 0
        && new Guid(pack.Slice(PackFormat.Header.BackupId, 16), bigEndian: true) == backupId
        && BinaryPrimitives.ReadUInt32LittleEndian(pack[PackFormat.Header.Sequence..]) == sequence
        && XxHash3.HashToUInt64(pack[..PackFormat.Header.Checksum]) == BinaryPrimitives.ReadUInt64LittleEndian(pack[PackFormat.Header.Checksum..]);
}
