using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace BackupEngine;

/// <summary>
/// Full and incremental backups of volumes in a container of an object store. All members are safe to call from many threads and, against one
/// container, from many processes at once. Errors are <see cref="BackupEngineException"/>s that name the object or volume; cancellation leaves the container clean.
/// </summary>
public sealed partial class BackupRepository : IAsyncDisposable
{
    private readonly CountingObjectStore _store;
    private readonly RecordStore _records;
    private readonly IntentStore _intents;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OperationLimits? _limits;

    /// <summary>The store for data that no operation with a gate of its own moves: streams keep to the shared rates through it. Records and intents never wait.</summary>
    private readonly IObjectStore _dataStore;

    private BackupRepository(IObjectStore store, RepositoryOptions options)
    {
        _store = new CountingObjectStore(store);
        _records = new RecordStore(_store);
        _intents = new IntentStore(_store);
        _time = options.TimeProvider;
        _limits = options.Limits;
        _dataStore = new OperationGate(_limits, null).Guard(_store);
        _logger = options.LoggerFactory?.CreateLogger<BackupRepository>() ?? NullLogger<BackupRepository>.Instance;
    }

    /// <summary>What messages call the container.</summary>
    public string Name => _store.Name;

    /// <summary>Calls made to the store since the repository was opened.</summary>
    public RequestCounts Requests => _store.Counts;

    /// <summary>Opens a repository.</summary>
    /// <param name="store">The container; the repository does not dispose it.</param>
    /// <param name="options">What the repository needs from its host; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RepositoryException">The container holds no repository, or one of a later version.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<BackupRepository> OpenAsync(
        IObjectStore store, RepositoryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var repository = new BackupRepository(store, options ?? new RepositoryOptions());
        return await RepositoryFile.ReadAsync(repository._store, cancellationToken).ConfigureAwait(false) is not null
            ? repository
            : throw new RepositoryException($"{store.Name} is not a backup repository: it has no {StoreKeys.Repository}.") { IsMissing = true };
    }

    /// <summary>Makes an empty container a repository.</summary>
    /// <inheritdoc cref="OpenAsync" path="/param"/>
    /// <exception cref="RepositoryException">The container is a repository already, or holds other things.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<BackupRepository> CreateAsync(
        IObjectStore store, RepositoryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var repository = new BackupRepository(store, options ?? new RepositoryOptions());
        if (await RepositoryFile.ReadAsync(repository._store, cancellationToken).ConfigureAwait(false) is not null)
            throw new RepositoryException($"{store.Name} is a backup repository already.");
        await repository.InitializeAsync(cancellationToken).ConfigureAwait(false);
        return repository;
    }

    /// <summary>Opens a repository, or makes the container one if it is empty.</summary>
    /// <inheritdoc cref="OpenAsync" path="/param"/>
    /// <exception cref="RepositoryException">The container holds other things, or a repository of a later version.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<BackupRepository> OpenOrCreateAsync(
        IObjectStore store, RepositoryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var repository = new BackupRepository(store, options ?? new RepositoryOptions());
        if (await RepositoryFile.ReadAsync(repository._store, cancellationToken).ConfigureAwait(false) is null)
            await repository.InitializeAsync(cancellationToken).ConfigureAwait(false);
        return repository;
    }

    /// <summary>Lets go of the store, which stays open: it is the caller's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        await foreach (ObjectInfo other in _store.ListAsync("", cancellationToken).ConfigureAwait(false))
        {
            // Two may be making the repository at once; what the other one has done by now is no stranger's.
            if (other.Key != StoreKeys.Repository)
                throw new RepositoryException($"{Name} is not a backup repository and not empty (it holds {other.Key}); name an empty place.");
            return;
        }

        await RepositoryFile.CreateAsync(_store, _time, cancellationToken).ConfigureAwait(false);
    }
}
