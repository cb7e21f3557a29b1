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
/// The repositories beside this file were written by the first engine of each format version and are never written again: every later engine must
/// restore them. They hold a chain for each hash, three backups each, by all codecs, with holes, growth and shrinking.
/// </summary>
public sealed class GoldenRepositoryTests
{
    /// <summary>Names the directory that <see cref="Write_AnyDirectory_WritesRepositoryThatRestores"/> writes to.</summary>
    private const string WriteVariable = "BACKUPENGINE_WRITE_GOLDEN";

    private static readonly (string VolumeId, ChunkHash Hash, int ChunkSize, int Version)[] _chains =
    [
        ("golden-xxh128", ChunkHash.XxHash128, 4096, 1), ("golden-sha256", ChunkHash.Sha256, 65_536, 1),
        ("golden-blake3", ChunkHash.Blake3, 65_536, 2), ("golden-blake3-256", ChunkHash.Blake3Bits256, 4096, 2),
    ];

    private static readonly ChunkCompression[] _compressions = [ChunkCompression.Lz4, ChunkCompression.Zstd(3), ChunkCompression.None];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Every_backup_restores(int version)
    {
        await using var store = new DirectoryObjectStore(GetFolder(version));
        await CheckRestoresAsync(store, version);
    }

    [Fact]
    public async Task What_is_written_today_restores_alike()
    {
        await using var store = new InMemoryObjectStore();
        await WriteAsync(store);
        await CheckRestoresAsync(store, version: 2);
    }

    /// <summary>Writes the repository of the current format version: <c>BACKUPENGINE_WRITE_GOLDEN=DIRECTORY</c>, which must be empty or missing.</summary>
    [Fact]
    public async Task Write_AnyDirectory_WritesRepositoryThatRestores()
    {
        using var scratch = new ScratchDirectory();
        string directory = Environment.GetEnvironmentVariable(WriteVariable) ?? scratch.File("golden");
        await using var store = new DirectoryObjectStore(directory);
        await WriteAsync(store);
        await CheckRestoresAsync(store, version: 2);
        foreach (string left in Directory.EnumerateFileSystemEntries(directory, "*~", SearchOption.AllDirectories).ToArray())
        {
            if (Directory.Exists(left))
                Directory.Delete(left, recursive: true);
            else
                File.Delete(left);
        }
    }

    private static async Task CheckRestoresAsync(IObjectStore store, int version)
    {
        BackupRepository repository = await BackupRepository.OpenAsync(store, cancellationToken: Repositories.Token);
        IReadOnlyList<Backup> backups = await repository.ListAsync(cancellationToken: Repositories.Token);
        Assert.Equal(3 * _chains.Count(chain => chain.Version <= version), backups.Count);
        Assert.All(backups, backup => Assert.Equal(_chains.Single(chain => chain.VolumeId == backup.VolumeId).Hash, backup.Hash));
        foreach (Backup backup in backups)
        {
            int step = int.Parse(backup.Name!, System.Globalization.CultureInfo.InvariantCulture);
            byte[] expected = GetContent(step).Content;
            Assert.Equal((expected.Length, step > 0, _compressions[step].ToString(), "golden"), ((int)backup.SizeBytes, backup.IsIncremental, backup.Compression.ToString(), backup.Metadata["kind"]));
            VolumeAssert.Same(expected, await repository.RestoreOverAsync(backup), $"{backup.VolumeId} {step}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Every_byte_verifies(int version)
    {
        await using var store = new DirectoryObjectStore(GetFolder(version));
        BackupRepository repository = await BackupRepository.OpenAsync(store, cancellationToken: Repositories.Token);
        Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Its_chains_go_on(int version)
    {
        await using var golden = new DirectoryObjectStore(GetFolder(version));
        await using var copy = new InMemoryObjectStore();
        await foreach (ObjectInfo info in golden.ListAsync("", Repositories.Token))
            await copy.PutAsync(info.Key, await golden.GetAllAsync(info.Key, 1 << 24, Repositories.Token), cancellationToken: Repositories.Token);
        BackupRepository repository = await BackupRepository.OpenAsync(copy, cancellationToken: Repositories.Token);
        foreach ((string volumeId, ChunkHash hash, int chunkSize, _) in _chains.Where(chain => chain.Version <= version))
        {
            VolumeModel model = GetContent(2);
            model.Content[100] ^= 1;
            Backup next = await repository.BackupAsync(model.ToVolume(), new BackupOptions { VolumeId = volumeId, Incremental = true }, cancellationToken: Repositories.Token);
            Assert.Equal((chunkSize, hash), (next.BytesChanged, next.Hash));
            VolumeAssert.Same(model.Content, await repository.RestoreOverAsync(next), volumeId);
        }
    }

    /// <summary>How the repository was written; another format version wants another one.</summary>
    private static async Task WriteAsync(IObjectStore store)
    {
        BackupRepository repository = await BackupRepository.CreateAsync(store, cancellationToken: Repositories.Token);
        foreach ((string volumeId, ChunkHash hash, int chunkSize, _) in _chains)
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

    private static string GetFolder(int version, [CallerFilePath] string thisFile = "") => Path.Combine(Path.GetDirectoryName(thisFile)!, $"v{version}");
}
