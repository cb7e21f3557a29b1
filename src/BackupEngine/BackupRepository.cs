using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine;

/// <summary>Stub for shape.</summary>
public sealed partial class BackupRepository : IAsyncDisposable
{
    /// <summary>Opens.</summary>
    public static Task<BackupRepository> OpenAsync(IObjectStore store, RepositoryOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Creates.</summary>
    public static Task<BackupRepository> CreateAsync(IObjectStore store, RepositoryOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Opens or creates.</summary>
    public static Task<BackupRepository> OpenOrCreateAsync(IObjectStore store, RepositoryOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Requests so far.</summary>
    public RequestCounts Requests => throw new NotImplementedException();

    /// <summary>Backs up.</summary>
    public Task<Backup> BackupAsync(IVolume volume, BackupOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Restores. Target at least as large as the volume (or the range's end).</summary>
    public Task<RestoreResult> RestoreAsync(Guid backupId, IWritableVolume target, RestoreOptions? options = null, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Lists, newest first; of one volume or of all. HasDependentBackups is set. Includes those being written (status creating).</summary>
    public Task<IReadOnlyList<Backup>> ListAsync(string? volumeId = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Shows one; BackupNotFoundException.</summary>
    public Task<Backup> GetAsync(Guid backupId, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Finds by full id, unique prefix of at least 4 characters, or "latest" (the available one of the volume, or of the only volume in the store). BackupNotFoundException, AmbiguousBackupException.</summary>
    public Task<Backup> FindAsync(string idOrPrefixOrLatest, string? volumeId = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Deletes; BackupHasDependentsException.</summary>
    public Task DeleteAsync(Guid backupId, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Exports.</summary>
    public Task<ExportedRecord> ExportRecordAsync(Guid backupId, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Imports.</summary>
    public Task<Backup> ImportRecordAsync(ExportedRecord record, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Opens for reading: a seekable read-only stream.</summary>
    public Task<Stream> OpenReadAsync(Guid backupId, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Verifies.</summary>
    public Task<VerifyReport> VerifyAsync(VerifyOptions? options = null, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
