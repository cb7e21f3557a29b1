using System.Security.Cryptography;
using System.Text;
using BackupEngine.Catalog;
using BackupEngine.Compression;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>
/// Mutations of valid objects, thousands of them, for every parser: bytes changed, cut, repeated, numbers made huge. Each must be read or be refused with an error
/// that is documented, in bounded time and memory.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int Rounds = 4_000;

    /// <summary>No parser has a reason to take more for an input of some kilobytes.</summary>
    private const long MaxAllocatedPerRound = 64L << 20;

    [Fact]
    public async Task Records_and_intents()
    {
        await using InMemoryObjectStore store = await CreateAsync();
        byte[] record = await FindAsync(store, StoreKeys.Records);
        byte[] intent = CatalogJson.Write(new Intent { Backup = CatalogJson.ReadBackup("record", record), Writer = ProcessIdentity.Current });
        Fuzz(record, bytes => CatalogJson.ReadBackup("key", bytes), typeof(CorruptionException));
        Fuzz(intent, bytes => CatalogJson.ReadIntent("key", bytes), typeof(CorruptionException), typeof(RepositoryException));
    }

    [Fact]
    public async Task Records_in_a_store()
    {
        await using InMemoryObjectStore store = await CreateAsync();
        string key = (await store.ListKeysAsync()).Single(key => key.StartsWith(StoreKeys.Records, StringComparison.Ordinal));
        byte[] record = await FindAsync(store, StoreKeys.Records);
        int seed = TestSeed.Next();
        var random = new Random(seed);
        BackupRepository repository = await Repositories.OpenAsync(store);
        for (int round = 0; round < 500; round++)
        {
            byte[] mutated = Mutate(random, record);
            await store.PutAsync(key, mutated, cancellationToken: Repositories.Token);

            // A list never fails because of one record.
            Backup listed = Assert.Single(await repository.ListAsync(cancellationToken: Repositories.Token));
            try
            {
                await repository.RestoreAsync(listed.Id, new MemoryVolume(300_000), cancellationToken: Repositories.Token);
            }
            catch (BackupEngineException e) when (e is CorruptionException or BackupStateException or VolumeException)
            {
                // Refused by name.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}: {Encoding.UTF8.GetString(mutated)}: {e}");
            }
        }
    }

    [Fact]
    public async Task Repository_files()
    {
        await using InMemoryObjectStore store = await CreateAsync();
        byte[] file = await store.GetAllAsync(StoreKeys.Repository, 1 << 20, Repositories.Token);
        Fuzz(
            file,
            bytes =>
            {
                using var other = new ValueTaskStore(bytes);
                RepositoryFile.ReadAsync(other.Store, CancellationToken.None).GetAwaiter().GetResult();
            },
            typeof(RepositoryException));
    }

    [Fact]
    public async Task Manifests_with_and_without_a_right_digest()
    {
        await using InMemoryObjectStore store = await CreateAsync();
        byte[] manifest = await FindAsync(store, "/manifests/");
        Fuzz(manifest, bytes => ManifestDecoder.Decode("key", bytes), typeof(CorruptionException), typeof(RepositoryException));
        Fuzz(
            manifest,
            bytes =>
            {
                if (bytes.Length >= ManifestFormat.FooterSize)
                {
                    BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - ManifestFormat.FooterSize), (long)bytes.Length);
                    ManifestFormat.EndMagic.CopyTo(bytes.AsSpan(bytes.Length - ManifestFormat.FooterSize + ManifestFormat.Footer.EndMagic));
                    SHA256.HashData(bytes.AsSpan(..^SHA256.HashSizeInBytes), bytes.AsSpan(^SHA256.HashSizeInBytes..));
                }

                Manifest decoded = ManifestDecoder.Decode("key", bytes);
                foreach (long page in decoded.Pages.MappedPages().Take(10))
                    decoded.GetPackKey(decoded.Pages[page].Location.Pack);
            },
            typeof(CorruptionException),
            typeof(RepositoryException));
    }

    [Fact]
    public void Pages()
    {
        var random = new Random(3);
        var page = new Page();
        for (int chunk = 0; chunk < PageFormat.ChunksPerPage; chunk++)
        {
            if (random.Next(3) > 0)
                page[chunk] = new MapEntry(new FrameLocation((uint)random.Next(3), (uint)random.Next(5), (uint)random.Next(64, 1 << 20), (uint)random.Next(33, 70_000)), ChunkDigest.FromBytes(Repositories.Noise(16, chunk)));
        }

        byte[] buffer = new byte[PageFormat.MaxPageLength];
        byte[] bytes = buffer[..page.Encode(buffer, 16)];
        var decoded = new Page();
        Fuzz(bytes, mutated =>
        {
            if (!decoded.TryDecode(mutated, 16))
                return;
            Assert.All(decoded.Entries.ToArray(), entry => Assert.True(entry.IsZero || entry.Location is { Length: > FrameFormat.HeaderSize and <= PackFormat.MaxPackSize }));
        });
    }

    [LongRunning]
    [Fact]
    public async Task Frames_with_and_without_a_right_checksum()
    {
        await using InMemoryObjectStore store = await CreateAsync();
        byte[] pack = await FindAsync(store, "/packs/");
        byte[] plain = new byte[ChunkSizes.Max];
        using var decompressor = new ChunkDecompressor();
        for (int codec = 0; codec <= 2; codec++)
        {
            byte[] chunk = [.. Enumerable.Range(0, 60_000).Select(i => (byte)(i / 77))];
            using var compressor = new ChunkCompressor(codec switch { 0 => ChunkCompression.None, 1 => ChunkCompression.Lz4, _ => ChunkCompression.Zstd() });
            byte[] room = new byte[FrameFormat.HeaderSize + compressor.GetMaxLength(chunk.Length)];
            Codec used = compressor.Compress(chunk, room.AsSpan(FrameFormat.HeaderSize), out int length);
            byte[] frame = room[..(FrameFormat.HeaderSize + length)];
            FrameHeader.Seal(frame, FrameKind.Chunk, used, 7, chunk.Length);
            Fuzz(frame, bytes =>
            {
                if (FrameHeader.TryRead(bytes, out FrameHeader header))
                    decompressor.TryDecompress(header.Codec, bytes.AsSpan(FrameFormat.HeaderSize), plain.AsSpan(0, header.PlainLength));
            });
        }

        Fuzz(pack, bytes => FrameHeader.IsIntact(bytes.AsSpan(Math.Min(bytes.Length, PackFormat.HeaderSize))));
    }

    [Fact]
    public async Task Exported_records()
    {
        await using InMemoryObjectStore store = await CreateAsync();
        byte[] record = await FindAsync(store, StoreKeys.Records);
        BackupRepository repository = await Repositories.OpenAsync(store);
        int seed = TestSeed.Next();
        var random = new Random(seed);
        for (int round = 0; round < 500; round++)
        {
            byte[] mutated = Mutate(random, record);
            string url = random.Next(4) == 0 ? Encoding.Latin1.GetString(Mutate(random, Encoding.Latin1.GetBytes(Convert.ToBase64String(record)))) : Convert.ToBase64String(mutated);
            try
            {
                Backup imported = await repository.ImportRecordAsync(new ExportedRecord(ExportedRecord.ServiceName, url), Repositories.Token);
                VolumeAssert.Same(Repositories.Noise(300_000), await repository.RestoreOverAsync(imported), $"seed {seed}, round {round}: what was imported");
                await store.DeleteAsync(StoreKeys.Record(imported.VolumeId, imported.Id), Repositories.Token);
            }
            catch (BackupEngineException e) when (e is RecordFormatException or BackupStateException or CorruptionException)
            {
                // Refused by name.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}: {Encoding.UTF8.GetString(mutated)}: {e}");
            }
        }
    }

    [Fact]
    public void Changed_extents() => Fuzz(
        Encoding.UTF8.GetBytes("# since sunday\n0 65536\n65536\t4096 # more\r\n\n9223372036854775806 1\n"),
        bytes => ChangedExtents.ReadAsync(new StringReader(Encoding.Latin1.GetString(bytes))).GetAwaiter().GetResult(),
        typeof(ChangedExtentsFormatException));

    private void Fuzz(byte[] valid, Action<byte[]> parse, params Type[] documented)
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        int refused = 0;
        parse([.. valid]);
        for (int round = 0; round < Rounds; round++)
        {
            byte[] mutated = Mutate(random, valid);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                parse(mutated);
            }
            catch (Exception e) when (documented.Contains(e.GetType()))
            {
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}: {e}");
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MaxAllocatedPerRound, $"seed {seed}, round {round}: {allocated} bytes were allocated");
        }

        output.WriteLine($"seed {seed}: {Rounds} rounds, {refused} refused");
    }

    private static byte[] Mutate(Random random, byte[] valid)
    {
        var bytes = new List<byte>(valid);
        for (int left = random.Next(1, 4); left > 0 && bytes.Count > 0; left--)
        {
            int position = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 20), bytes.Count - position);
            switch (random.Next(7))
            {
                case 0:
                    bytes[position] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[position] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(position, length);
                    break;
                case 3:
                    bytes.InsertRange(position, bytes.GetRange(position, length));
                    break;
                case 4:
                    for (int index = 0; index < length; index++)
                        bytes[position + index] = (byte)(random.Next(2) == 0 ? 0xFF : 0x7F);
                    break;
                case 5:
                    bytes.RemoveRange(position, bytes.Count - position);
                    break;
                default:
                    bytes.InsertRange(position, "999999999999999999"u8.ToArray());
                    break;
            }
        }

        return [.. bytes];
    }

    private static async Task<InMemoryObjectStore> CreateAsync()
    {
        var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        await repository.FullAsync(new MemoryVolume(Repositories.Noise(300_000)));
        return store;
    }

    private static async Task<byte[]> FindAsync(InMemoryObjectStore store, string part) =>
        await store.GetAllAsync((await store.ListKeysAsync()).First(key => key.Contains(part, StringComparison.Ordinal)), 1 << 20, Repositories.Token);

    /// <summary>A store that holds one repository file; everything in it ends at once.</summary>
    private sealed class ValueTaskStore : IDisposable
    {
        public ValueTaskStore(byte[] file) => Store.PutAsync(StoreKeys.Repository, file).AsTask().GetAwaiter().GetResult();

        public InMemoryObjectStore Store { get; } = new();

        public void Dispose() => Store.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
