using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>Ctrl-C, and what a service manager sends, in the middle of a restore that takes a while.</summary>
public sealed class CancelledRestoreTests(CancelledRestoreTests.LargeBackup given) : IClassFixture<CancelledRestoreTests.LargeBackup>
{
    private const int Size = 256 << 20;

    [LongRunning]
    [Theory]
    [InlineData(CliProcess.Interrupt)]
    [InlineData(CliProcess.Terminate)]
    public async Task An_unfinished_file_is_taken_away(int signal)
    {
        using Workspace workspace = new();
        string target = workspace.PathOf("target.img");
        using CliProcess restore = CliProcess.Start(new CliSettings(), "restore", "latest", "--store", given.Workspace.Store, "--to", target);
        await restore.WhenAsync(() => File.Exists(target));
        restore.Signal(signal);

        (await restore.WaitAsync()).MustFail(ExitCodes.Cancelled, "cancelled", target, "removed");
        Assert.False(File.Exists(target));
        Assert.Equal(given.Files, Workspace.FilesOf(given.Workspace.Store));
    }

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

        public async ValueTask InitializeAsync()
        {
            string volume = Workspace.WriteVolume("volume.img", Size, seed: 1);
            await Workspace.BackupIdAsync(volume, "--compression", "none");
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
