using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Hosting;

/// <summary>The repository of a host, opened when it is first needed and again after that failed: the host starts while the store is away. Closes both at its end.</summary>
public sealed class RepositoryHost : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly Func<CancellationToken, ValueTask<IObjectStore>> _openStore;
    private readonly RepositoryOptions _options;
    private readonly bool _create;
    private IObjectStore? _store;
    private BackupRepository? _repository;

    /// <summary>Makes a host; nothing is opened yet.</summary>
    /// <param name="openStore">Opens the container of the backups; the store is disposed of with this.</param>
    /// <param name="time">The clock of record times.</param>
    /// <param name="loggers">Where logs go.</param>
    /// <param name="limits">What operations may use.</param>
    /// <param name="create">Whether an empty container becomes a repository. Default: true.</param>
    /// <param name="singleWriter">Whether a store that does not honour conditional puts may be written to; see <see cref="RepositoryOptions.SingleWriter"/>. Default: false.</param>
    public RepositoryHost(
        Func<CancellationToken, ValueTask<IObjectStore>> openStore, TimeProvider time, ILoggerFactory loggers, OperationLimits limits, bool create = true, bool singleWriter = false)
    {
        ArgumentNullException.ThrowIfNull(openStore);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(loggers);
        ArgumentNullException.ThrowIfNull(limits);
        _create = create;
        _openStore = openStore;
        _options = new RepositoryOptions { LoggerFactory = loggers, TimeProvider = time, Limits = limits, SingleWriter = singleWriter };
    }

    /// <summary>The repository, made if the container is empty and that was not ruled out.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BackupEngineException">It cannot be opened; asking again tries again.</exception>
    public async Task<BackupRepository> GetAsync(CancellationToken cancellationToken = default)
    {
        if (Volatile.Read(ref _repository) is { } open)
            return open;
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_repository is null)
            {
                _store ??= await OpenStoreAsync(cancellationToken).ConfigureAwait(false);
                Task<BackupRepository> opening = _create
                    ? BackupRepository.OpenOrCreateAsync(_store, _options, cancellationToken)
                    : BackupRepository.OpenAsync(_store, _options, cancellationToken);
                Volatile.Write(ref _repository, await opening.ConfigureAwait(false));
            }

            return _repository;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Looks whether the repository can be opened now: one small read.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What messages call the container.</returns>
    /// <exception cref="BackupEngineException">It cannot.</exception>
    public async Task<string> CheckAsync(CancellationToken cancellationToken = default)
    {
        await GetAsync(cancellationToken).ConfigureAwait(false);
        await using BackupRepository opened = await BackupRepository.OpenAsync(_store!, cancellationToken: cancellationToken).ConfigureAwait(false);
        return opened.Name;
    }

    private async ValueTask<IObjectStore> OpenStoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _openStore(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            // A timeout of the store's own client, not the caller's wish.
            throw new ObjectStoreException(ObjectStoreError.Unavailable, null, $"The store could not be opened: {e.Message}", e);
        }
    }

    /// <summary>Closes the repository and the store.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_repository is not null)
            await _repository.DisposeAsync().ConfigureAwait(false);
        if (_store is not null)
            await _store.DisposeAsync().ConfigureAwait(false);
        _opening.Dispose();
    }
}
