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
    /// <summary>Age from which an object by which a store was checked counts as left behind.</summary>
    private static readonly TimeSpan _probeAge = TimeSpan.FromDays(1);

    private readonly CountingObjectStore _counting;
    private readonly ContractObjectStore _store;
    private readonly RecordStore _records;
    private readonly IntentStore _intents;
    private readonly IntentLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OperationLimits? _limits;
    private readonly bool _singleWriter;

    /// <summary>The highest version whose objects the repository is known to hold; see <see cref="RequireFormatAsync"/>.</summary>
    private int _formatVersion;

    /// <summary>The store for data that no operation with a gate of its own moves: streams keep to the shared rates through it. Records and intents never wait.</summary>
    private readonly IObjectStore _dataStore;

    private BackupRepository(IObjectStore store, RepositoryOptions options)
    {
        OptionsGuard.Check(options);
        _counting = new CountingObjectStore(new WrappingObjectStore(store));
        _store = new ContractObjectStore(new CheckedObjectStore(_counting), store, options.SingleWriter);
        _singleWriter = options.SingleWriter;
        _records = new RecordStore(_store);
        _lifetime = new IntentLifetime(options.IntentRefreshInterval, options.IntentStaleAfter);
        _intents = new IntentStore(_store, options.Writers, options.IntentStaleAfter);
        _time = options.TimeProvider;
        _limits = options.Limits;
        _dataStore = new OperationGate(_limits, null).Guard(_store);
        _logger = new SafeLogger(options.LoggerFactory?.CreateLogger<BackupRepository>() ?? NullLogger<BackupRepository>.Instance);
    }

    /// <summary>What messages call the container.</summary>
    public string Name => _store.Name;

    /// <summary>Calls made to the store since the repository was opened.</summary>
    public RequestCounts Requests => _counting.Counts;

    /// <summary>Opens a repository.</summary>
    /// <param name="store">The container; the repository does not dispose it.</param>
    /// <param name="options">What the repository needs from its host; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="RepositoryException">The container holds no repository, or one of a later version.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<BackupRepository> OpenAsync(
        IObjectStore store, RepositoryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var repository = new BackupRepository(store, options ?? new RepositoryOptions());
        return await repository.TryReadFileAsync(cancellationToken).ConfigureAwait(false)
            ? repository
            : throw new RepositoryException($"{store.Name} is not a backup repository: it has no {StoreKeys.Repository}.") { IsMissing = true };
    }

    /// <summary>Makes an empty container a repository.</summary>
    /// <inheritdoc cref="OpenAsync" path="/param"/>
    /// <exception cref="RepositoryException">The container is a repository already, or holds other things.</exception>
    /// <exception cref="UnsupportedObjectStoreException">The store does not honour conditional puts.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<BackupRepository> CreateAsync(
        IObjectStore store, RepositoryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var repository = new BackupRepository(store, options ?? new RepositoryOptions());
        if (await repository.TryReadFileAsync(cancellationToken).ConfigureAwait(false))
            throw new RepositoryException($"{store.Name} is a backup repository already.");
        await repository.InitializeAsync(cancellationToken).ConfigureAwait(false);
        return repository;
    }

    /// <summary>Opens a repository, or makes the container one if it is empty.</summary>
    /// <inheritdoc cref="OpenAsync" path="/param"/>
    /// <exception cref="RepositoryException">The container holds other things, or a repository of a later version.</exception>
    /// <exception cref="UnsupportedObjectStoreException">The container is empty, and the store does not honour conditional puts.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<BackupRepository> OpenOrCreateAsync(
        IObjectStore store, RepositoryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var repository = new BackupRepository(store, options ?? new RepositoryOptions());
        if (!await repository.TryReadFileAsync(cancellationToken).ConfigureAwait(false))
            await repository.InitializeAsync(cancellationToken).ConfigureAwait(false);
        return repository;
    }

    /// <summary>Lets go of the store, which stays open: it is the caller's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private IntentRefresher CreateRefresher(string operation, CancellationToken cancellationToken) => new(_store, _time, _lifetime, _logger, operation, cancellationToken);

    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        List<string> abandonedProbes = [];
        await foreach (ObjectInfo other in _store.ListAsync("", cancellationToken).ConfigureAwait(false))
        {
            // Another process may be checking the store at this moment; what such a check leaves behind when its process is killed is removed here.
            if (other.Key.StartsWith(StoreKeys.Probes, StringComparison.Ordinal))
            {
                if (_time.GetUtcNow() - other.LastModified > _probeAge)
                    abandonedProbes.Add(other.Key);
                continue;
            }

            // Two may be making the repository at once; what the other one has done by now is no stranger's.
            if (other.Key != StoreKeys.Repository)
                throw new RepositoryException($"{Name} is not a backup repository and not empty (it holds {other.Key}); name an empty place.");
            return;
        }

        await _store.ProbeEmptyAsync(cancellationToken).ConfigureAwait(false);
        if (abandonedProbes.Count > 0)
            await _store.DeleteAsync(abandonedProbes, cancellationToken).ConfigureAwait(false);
        _formatVersion = await RepositoryFile.CreateAsync(_store, _time, cancellationToken).ConfigureAwait(false);
    }

    /// <returns><see langword="true"/> if the container is a repository.</returns>
    private async Task<bool> TryReadFileAsync(CancellationToken cancellationToken)
    {
        if (await RepositoryFile.ReadAsync(_store, cancellationToken).ConfigureAwait(false) is not { } file)
            return false;
        _formatVersion = file.WritableVersion;
        return true;
    }

    /// <summary>
    /// Makes sure that engines which do not know a version of the format refuse the repository. Every operation calls this before it stores the first object that such an
    /// engine would misread.
    /// </summary>
    /// <exception cref="RepositoryException">The repository file is missing, damaged, or of a later version.</exception>
    private async Task RequireFormatAsync(int version, CancellationToken cancellationToken)
    {
        int known = Volatile.Read(ref _formatVersion);
        if (known >= version)
            return;
        int now = await RepositoryFile.RequireVersionAsync(_store, version, cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _formatVersion, now);
        if (known > 0)
            _logger.FormatRaised(Name, now);
    }
}
