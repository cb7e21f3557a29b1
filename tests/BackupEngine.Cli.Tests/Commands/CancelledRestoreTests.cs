using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>Ctrl-C, and what a service manager sends, in the middle of a restore that takes a while.</summary>
public sealed class CancelledRestoreTests(CancelledRestoreTests.LargeBackup given) : IClassFixture<CancelledRestoreTests.LargeBackup>
{
    private const int Size = 256 << 20;

    /// <summary>What no process can handle.</summary>
    private const int Kill = 9;

    [LongRunning]
    [Theory]
    [InlineData(CliProcess.Interrupt)]
    [InlineData(CliProcess.Terminate)]
    [InlineData(Kill)]
    public async Task Restore_InterruptedToANewFile_IsContinuedByTheNext(int signal)
    {
        using Workspace workspace = new();
        string target = workspace.PathOf("target.img");
        string partial = $"{target}.partial";
        using CliProcess restore = CliProcess.Start(new CliSettings(), "restore", "latest", "--store", given.Workspace.Store, "--to", target);
        DateTime begun = default;
        await restore.WhenAsync(HasWritten);
        restore.Signal(signal);
        CliResult interrupted = await restore.WaitAsync();
        if (signal != Kill)
            interrupted.MustFail(ExitCodes.Cancelled, "cancelled", partial, "run the same command again");
        Assert.False(File.Exists(target));
        Assert.Equal(Size, new FileInfo(partial).Length);

        CliResult continued = (await CliProcess.RunAsync("restore", "latest", "--store", given.Workspace.Store, "--to", target, "--json")).MustSucceed();
        Assert.True(continued.Json.GetProperty("resumed").GetBoolean());
        Assert.True(continued.Json.GetProperty("target_created").GetBoolean());
        Assert.InRange(continued.Json.GetProperty("bytes_written").GetInt64(), 0, Size - 1);
        Assert.False(File.Exists(partial));
        Assert.Equal(given.Sha256, Workspace.Sha256Of(target));
        Assert.Equal(given.Files, Workspace.FilesOf(given.Workspace.Store));

        bool HasWritten()
        {
            FileInfo file = new(partial);
            if (!file.Exists || file.Length != Size)
                return false;
            begun = begun == default ? file.LastWriteTimeUtc : begun;
            return file.LastWriteTimeUtc != begun;
        }
    }

    /// <summary>Whatever the file holds: it is compared, not believed.</summary>
    [LongRunning]
    [Fact]
    public async Task Restore_PartialFileWithOtherData_IsMadeRight()
    {
        using Workspace workspace = new();
        string target = workspace.PathOf("target.img");
        Workspace.Change(workspace.WriteVolume("target.img.partial", Size, seed: 9), offset: 5, length: 100, seed: 2);
        (await CliProcess.RunAsync("restore", "latest", "--store", given.Workspace.Store, "--to", target)).MustSucceed();
        Assert.Equal(given.Sha256, Workspace.Sha256Of(target));
    }

    [Theory]
    [InlineData("", Size - 1, "has 268435455 bytes")]
    [InlineData("--range 0:4096", Size, "--range")]
    public async Task Restore_PartialFileThatDoesNotFit_IsRefusedUnlessDiscarded(string options, int size, string problem)
    {
        using Workspace workspace = new();
        string target = workspace.PathOf("target.img");
        using (FileStream partial = File.Create($"{target}.partial"))
            partial.SetLength(size);
        string[] command = ["restore", "latest", "--store", given.Workspace.Store, "--to", target];
        (await CliProcess.RunAsync([.. command, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)])).MustFail(ExitCodes.RefusedByState, $"{target}.partial", problem, "--discard-partial");
        Assert.Equal(size, new FileInfo($"{target}.partial").Length);
        (await CliProcess.RunAsync([.. command, "--range", "0:4096", "--discard-partial"])).MustSucceed();
        Assert.False(File.Exists($"{target}.partial"));
        Assert.Equal(Size, new FileInfo(target).Length);
    }

    [Fact]
    public async Task Restore_PartialNameIsALink_IsRefused()
    {
        using Workspace workspace = new();
        string target = workspace.PathOf("target.img");
        string victim = workspace.WriteVolume("victim.img", 1000, seed: 3);
        File.CreateSymbolicLink($"{target}.partial", victim);
        (await CliProcess.RunAsync("restore", "latest", "--store", given.Workspace.Store, "--to", target)).MustFail(ExitCodes.Failed, $"{target}.partial", "symbolic link");
        Assert.Equal(1000, new FileInfo(victim).Length);
    }

    [LongRunning]
    [Fact]
    public async Task A_file_that_was_there_stays_and_the_user_hears_what_it_is_now()
    {
        using Workspace workspace = new();
        string target = workspace.PathOf("target.img");
        using (FileStream file = File.Create(target))
            file.SetLength(Size);
        File.SetLastWriteTimeUtc(target, DateTime.UnixEpoch);

        using CliProcess restore = CliProcess.Start(new CliSettings(), "restore", "latest", "--store", given.Workspace.Store, "--to", target);
        await restore.WhenAsync(() => File.GetLastWriteTimeUtc(target) != DateTime.UnixEpoch);
        restore.Signal(CliProcess.Interrupt);

        (await restore.WaitAsync()).MustFail(ExitCodes.Cancelled, "cancelled", target, "restore to it again");
        Assert.Equal(Size, new FileInfo(target).Length);
        Assert.Equal(given.Files, Workspace.FilesOf(given.Workspace.Store));
    }

    /// <summary>A backup that takes a while to restore.</summary>
    public sealed class LargeBackup : IAsyncLifetime
    {
        public Workspace Workspace { get; } = new();

        public IReadOnlyList<string> Files { get; private set; } = [];

        public string Sha256 { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            string volume = Workspace.WriteVolume("volume.img", Size, seed: 1);
            await Workspace.BackupIdAsync(volume, "--compression", "none");
            Sha256 = Workspace.Sha256Of(volume);
            File.Delete(volume);
            Files = Workspace.FilesOf(Workspace.Store);
        }

        public ValueTask DisposeAsync()
        {
            Workspace.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
