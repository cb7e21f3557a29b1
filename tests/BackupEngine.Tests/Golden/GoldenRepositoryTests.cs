using System.Runtime.CompilerServices;
using BackupEngine.Catalog;
using BackupEngine.Compression;
using BackupEngine.Hashing;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Golden;

/// <summary>
/// The repository beside this file was written by the first engine of format version 1 and is never written again: every later engine must
/// restore it. It holds two chains (xxh128 and sha256), three backups each, by all codecs, with holes, growth and shrinking.
/// </summary>
public sealed class GoldenRepositoryTests
{
    private static readonly (string VolumeId, ChunkHash Hash, int ChunkSize)[] _chains = [("golden-xxh128", ChunkHash.XxHash128, 4096), ("golden-sha256", ChunkHash.Sha256, 65_536)];

    private static readonly ChunkCompression[] _compressions = [ChunkCompression.Lz4, ChunkCompression.Zstd(3), ChunkCompression.None];

    private static string Folder => GetFolder();

    [Fact]
    public async Task Every_backup_restores()
    {
        await using var store = new DirectoryObjectStore(Folder);
        await CheckRestoresAsync(store);
    }

    [Fact]
    public async Task What_is_written_today_restores_alike()
    {
        await using var store = new InMemoryObjectStore();
        await WriteAsync(store);
        await CheckRestoresAsync(store);
    }

    private static async Task CheckRestoresAsync(IObjectStore store)
    {
        BackupRepository repository = await BackupRepository.OpenAsync(store, cancellationToken: Repositories.Token);
        IReadOnlyList<Backup> backups = await repository.ListAsync(cancellationToken: Repositories.Token);
        Assert.Equal(6, backups.Count);
        foreach (Backup backup in backups)
        {
            int step = int.Parse(backup.Name!, System.Globalization.CultureInfo.InvariantCulture);
            byte[] expected = GetContent(step).Content;
            Assert.Equal((expected.Length, step > 0, _compressions[step].ToString(), "golden"), ((int)backup.SizeBytes, backup.IsIncremental, backup.Compression.ToString(), backup.Metadata["kind"]));
            VolumeAssert.Same(expected, await repository.RestoreOverAsync(backup), $"{backup.VolumeId} {step}");
        }
    }

    [Fact]
    public async Task Every_byte_verifies()
    {
        await using var store = new DirectoryObjectStore(Folder);
        BackupRepository repository = await BackupRepository.OpenAsync(store, cancellationToken: Repositories.Token);
        Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
    }

    [Fact]
    public async Task Its_chains_go_on()
    {
        await using var golden = new DirectoryObjectStore(Folder);
        await using var copy = new InMemoryObjectStore();
        await foreach (ObjectInfo info in golden.ListAsync("", Repositories.Token))
            await copy.PutAsync(info.Key, await golden.GetAllAsync(info.Key, 1 << 24, Repositories.Token), cancellationToken: Repositories.Token);
        BackupRepository repository = await BackupRepository.OpenAsync(copy, cancellationToken: Repositories.Token);
        foreach ((string volumeId, _, int chunkSize) in _chains)
        {
            VolumeModel model = GetContent(2);
            model.Content[100] ^= 1;
            Backup next = await repository.BackupAsync(model.ToVolume(), new BackupOptions { VolumeId = volumeId, Incremental = true }, cancellationToken: Repositories.Token);
            Assert.Equal(chunkSize, next.BytesChanged);
            VolumeAssert.Same(model.Content, await repository.RestoreOverAsync(next), volumeId);
        }
    }

    /// <summary>How the repository was written; another format version wants another one.</summary>
    private static async Task WriteAsync(IObjectStore store)
    {
        BackupRepository repository = await BackupRepository.CreateAsync(store, cancellationToken: Repositories.Token);
        foreach ((string volumeId, ChunkHash hash, int chunkSize) in _chains)
        {
            for (int step = 0; step < _compressions.Length; step++)
            {
                await repository.BackupAsync(GetContent(step).ToVolume(), new BackupOptions
                {
                    VolumeId = volumeId,
                    Name = $"{step}",
                    Incremental = step > 0,
                    Hash = hash,
                    ChunkSize = chunkSize,
                    Compression = _compressions[step],
                    Metadata = new Dictionary<string, string> { ["kind"] = "golden" },
                    Workers = 1,
                }, cancellationToken: Repositories.Token);
            }
        }
    }

    /// <summary>What the volume held at each step; by arithmetic alone, so that no library can change it.</summary>
    private static VolumeModel GetContent(int step)
    {
        var model = new VolumeModel(1_200_001);
        model.Write(Fill(300_000, i => (byte)(i / 64)), 0);
        model.Write(Fill(70_000, Noise(1)), 400_000);
        model.Write(Fill(150_001, i => "golden backup "u8[i % 14]), 1_050_000);
        if (step >= 1)
        {
            model.Write(Fill(5_000, Noise(2)), 10_000);
            model.Write(new byte[65_536], 131_072);
            model.Punch(401_408, 8192);
            model.Resize(1_300_000);
            model.Write(Fill(3_000, i => (byte)i), 1_290_000);
        }

        if (step >= 2)
        {
            model.Write(Fill(10_000, Noise(3)), 600_000);
            model.Resize(700_007);
        }

        return model;
    }

    private static byte[] Fill(int length, Func<int, byte> value) => [.. Enumerable.Range(0, length).Select(value)];

    private static Func<int, byte> Noise(uint seed)
    {
        uint state = seed;
        return _ =>
        {
            state = unchecked((state * 1_664_525) + 1_013_904_223);
            return (byte)(state >> 24);
        };
    }

    private static string GetFolder([CallerFilePath] string thisFile = "") => Path.Combine(Path.GetDirectoryName(thisFile)!, "v1");
}
