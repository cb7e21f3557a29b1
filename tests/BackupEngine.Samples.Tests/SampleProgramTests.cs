using System.IO.Compression;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Samples.Tests;

/// <summary>The samples do what they say.</summary>
public sealed class SampleProgramTests : IDisposable
{
    private readonly ScratchDirectory _place = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Embedding_restores_what_it_backed_up()
    {
        byte[] disk = MakeDisk();
        Assert.EndsWith($"{disk.Length} bytes restored", Run("Embedding", "disk.img", "store", "restored.img"), StringComparison.Ordinal);
        Assert.Equal(disk, File.ReadAllBytes(_place.File("restored.img")));
    }

    [Fact]
    public void A_custom_volume_is_read_where_it_changed() =>
        Assert.Equal("full: 8192000 bytes read; incremental: 65536 bytes read", Run("CustomVolume", "store"));

    [Fact]
    public void A_custom_store_serves_what_its_other_half_lost()
    {
        byte[] disk = MakeDisk();
        Assert.Equal($"{disk.Length} bytes restored", Run("CustomStore", "disk.img", "first", "second", "restored.img"));
        Assert.Equal(disk, File.ReadAllBytes(_place.File("restored.img")));
    }

    [Fact]
    public async Task Files_are_read_out_of_a_backup_without_a_restore()
    {
        await using (ZipArchive archive = await ZipFile.OpenAsync(_place.File("disk.zip"), ZipArchiveMode.Create, Token))
        {
            await using var writer = new StreamWriter(await archive.CreateEntry("etc/motd").OpenAsync(Token));
            await writer.WriteAsync("read from a backup");
        }

        await using (var store = new DirectoryObjectStore(_place.File("store")))
        await using (var volume = FileVolume.OpenRead(_place.File("disk.zip")))
        {
            await using BackupRepository repository = await BackupRepository.CreateAsync(store, cancellationToken: Token);
            await repository.BackupAsync(volume, new BackupOptions { VolumeId = "archive" }, cancellationToken: Token);
        }

        Assert.EndsWith("etc/motd", Run("ReadFiles", "store", "latest"), StringComparison.Ordinal);
        Assert.Equal("read from a backup", Run("ReadFiles", "store", "latest", "etc/motd"));
    }

    [Fact]
    public void The_worker_says_what_its_configuration_lacks()
    {
        (int exitCode, string output, string errors) = SystemTool.TryRun("dotnet", PathOf("Worker"), "--BackupEngine:Directory", _place.File("store"));
        Assert.NotEqual(0, exitCode);
        Assert.Contains("Schedule:Volume is missing", output + errors, StringComparison.Ordinal);
    }

    // The output directory of the tests lacks the assemblies that ASP.NET Core provides to the tests and not to a sample.
    private static string PathOf(string sample)
    {
        string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return Path.GetFullPath(Path.Join(AppContext.BaseDirectory, "..", "..", sample, configuration, sample + ".dll"));
    }

    private string Run(string sample, params ReadOnlySpan<string> arguments) => SystemTool.Run("env", ["-C", _place.Path, "dotnet", PathOf(sample), .. arguments]);

    private byte[] MakeDisk()
    {
        byte[] disk = new byte[1_000_000];
        new Random(1).NextBytes(disk.AsSpan(0, 500_000));
        File.WriteAllBytes(_place.File("disk.img"), disk);
        return disk;
    }
}
