using System.Security.Cryptography;
using BackupEngine.Benchmarks.Data;
using BackupEngine.Benchmarks.Running;
using BackupEngine.Buffers;
using BackupEngine.Catalog;
using BackupEngine.Chunking;
using BackupEngine.Compression;
using BackupEngine.Diagnostics;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Benchmarks.ChangedExtents;

/// <summary>
/// A repository in a directory with a full backup of a volume of any size without a hole, of which every chunk can be restored, that takes only what its
/// pages take: one data pack is written, and all others are hard links to it. Manifest, page packs and pack table are as large as they would be.
/// </summary>
internal sealed class LargeRepository(DirectoryObjectStore store, string directory, long volumeSize)
{
    public const string VolumeId = "large";
    private const int PackLength = 32 << 20;
    private readonly Guid _backupId = new("1f0c7a52-6f0e-4a55-9f0a-0c5d7f6f7b22");
    private readonly ChunkHasher _hasher = new(ChunkHash.XxHash128, seed: 42);
    private readonly VolumeGeometry _geometry = new(volumeSize, ChunkSizes.Default);
    private readonly PackTable _packs = new();

    /// <summary>Data packs, real or linked.</summary>
    public long PackCount { get; private set; }

    /// <summary>Bytes of the packs that hold pages.</summary>
    public long PagePackBytes { get; private set; }

    /// <summary>Bytes of the manifest object.</summary>
    public long ManifestBytes { get; private set; }

    public async Task CreateAsync(CancellationToken cancellationToken)
    {
        await using BackupRepository repository = await BackupRepository.CreateAsync(store, cancellationToken: cancellationToken);
        using var buffer = new BufferPool(PackLength, capacity: 1);
        NativeBuffer room = await buffer.RentAsync(cancellationToken);
        try
        {
            List<MapEntry> frames = await WriteDataPacksAsync(room, cancellationToken);
            PageTable pages = await WritePagesAsync(room, frames, cancellationToken);
            await WriteManifestAsync(pages, cancellationToken);
        }
        finally
        {
            buffer.Return(room);
        }
    }

    /// <summary>Fills one pack and links it under the names of all that the volume would need.</summary>
    /// <returns>The chunks of the pack.</returns>
    private async Task<List<MapEntry>> WriteDataPacksAsync(NativeBuffer room, CancellationToken cancellationToken)
    {
        var frames = new List<MapEntry>();
        var data = new SyntheticData(seed: 1);
        byte[] chunk = new byte[_geometry.ChunkSize];
        using var compressor = new ChunkCompressor(ChunkCompression.Lz4);
        var pack = new PackWriter(room, new PackId(0, 1), _backupId);
        for (data.Fill(chunk); pack.TryAppendChunk(compressor, frames.Count, chunk, out FrameLocation location); data.Fill(chunk))
            frames.Add(new MapEntry(location, _hasher.Hash(chunk)));

        ReadOnlyMemory<byte> content = pack.Finish();
        await store.PutAsync(KeyOf(1), content, cancellationToken: cancellationToken);
        PackCount = (_geometry.ChunkCount + frames.Count - 1) / frames.Count;
        for (uint sequence = 1; sequence <= PackCount; sequence++)
        {
            long used = Math.Min(frames.Count, _geometry.ChunkCount - ((sequence - 1L) * frames.Count));
            _packs.Add(new PackId(0, sequence), new PackUse(content.Length, frames.Take((int)used).Sum(frame => frame.Location.Length)));
            if (sequence > 1 && !AtomicFiles.TryCreate(PathOf(1), PathOf(sequence)))
                throw new UsageException($"{directory} is not empty");
        }

        return frames;
    }

    private async Task<PageTable> WritePagesAsync(NativeBuffer room, List<MapEntry> frames, CancellationToken cancellationToken)
    {
        var pages = new PageTable(_geometry.PageCount);
        var page = new Page();
        byte[] bytes = new byte[PageFormat.MaxPageLength];
        uint sequence = (uint)PackCount + 1;
        var pack = new PackWriter(room, new PackId(0, sequence), _backupId);
        for (long number = 0; number < _geometry.PageCount; number++)
        {
            MapPage(page, number, frames);
            int length = page.Encode(bytes, _hasher.DigestLength);
            FrameLocation location;
            ulong checksum;
            while (!pack.TryAppendPage(number, bytes.AsSpan(0, length), out location, out checksum))
            {
                await PutPagePackAsync(pack, cancellationToken);
                pack = new PackWriter(room, new PackId(0, ++sequence), _backupId);
            }

            pages[number] = new PageEntry(location, checksum);
        }

        await PutPagePackAsync(pack, cancellationToken);
        return pages;
    }

    private void MapPage(Page page, long number, List<MapEntry> frames)
    {
        page.Clear();
        for (int index = 0; index < _geometry.GetChunksInPage(number); index++)
        {
            (long sequence, long frame) = Math.DivRem((number * PageFormat.ChunksPerPage) + index, frames.Count);
            MapEntry entry = frames[(int)frame];
            page[index] = entry with { Location = entry.Location with { PackSequence = (uint)sequence + 1 } };
        }
    }

    private async Task PutPagePackAsync(PackWriter pack, CancellationToken cancellationToken)
    {
        long used = pack.FrameBytes;
        ReadOnlyMemory<byte> content = pack.Finish();
        _packs.Add(pack.Id, new PackUse(content.Length, used));
        PagePackBytes += content.Length;
        await store.PutAsync(KeyOf(pack.Id.Sequence), content, cancellationToken: cancellationToken);
    }

    private async Task WriteManifestAsync(PageTable pages, CancellationToken cancellationToken)
    {
        var manifest = new Manifest
        {
            BackupId = _backupId,
            ParentId = null,
            VolumeId = VolumeId,
            Geometry = _geometry,
            Hasher = _hasher,
            Backups = [_backupId],
            Packs = _packs,
            Pages = pages,
        };
        byte[] bytes = ManifestEncoder.Encode(manifest);
        ManifestBytes = bytes.Length;
        await store.PutAsync(manifest.Key, bytes, cancellationToken: cancellationToken);

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        var record = new Backup
        {
            Id = _backupId,
            VolumeId = VolumeId,
            Status = BackupStatus.Available,
            SizeBytes = volumeSize,
            ObjectCount = _packs.Count + 1,
            CreatedAt = now,
            DataTimestamp = now,
            ChunkSize = _geometry.ChunkSize,
            Hash = _hasher.Algorithm,
            Compression = ChunkCompression.Lz4,
            ManifestKey = manifest.Key,
            ManifestSha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
            EngineVersion = EngineVersion.Current,
        };
        await new RecordStore(store).AddRecordAsync(record, cancellationToken);
    }

    private string KeyOf(uint sequence) => StoreKeys.Pack(VolumeId, _backupId, sequence);

    private string PathOf(uint sequence) => Path.Combine(directory, KeyOf(sequence));
}
