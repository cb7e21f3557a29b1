namespace BackupEngine.Cli.Tests.Running;

/// <summary>A store with one backup, for tests that must leave it as it is.</summary>
public sealed class StoreWithOneBackup : IAsyncLifetime
{
    private readonly Workspace _workspace = new();
    private IReadOnlyList<string> _files = [];

    public string Store => _workspace.Store;

    public string BackupId { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        BackupId = await _workspace.BackupIdAsync(_workspace.WriteVolume("volume.img", 200_000, seed: 1));
        _files = Workspace.FilesOf(Store);
    }

    /// <summary>Every byte of the store is as the backup left it, so it lists and restores what it did.</summary>
    public void MustBeUntouched() => Assert.Equal(_files, Workspace.FilesOf(Store));

    public ValueTask DisposeAsync()
    {
        _workspace.Dispose();
        return ValueTask.CompletedTask;
    }
}
