using BackupEngine.ObjectStores;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Service.Jobs;

/// <summary>The repository that backups are kept in, opened when it is first needed: the service starts and lists while the store is away.</summary>
internal sealed class RepositoryHost(Func<CancellationToken, ValueTask<IObjectStore>> openStore, TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1, 1);
    private IObjectStore? _store;
    private BackupRepository? _repository;

    public async Task<BackupRepository> GetAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _repository) is { } open)
        {
            return open;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_repository is null)
            {
                _store ??= await openStore(cancellationToken);
                RepositoryOptions options = new() { LoggerFactory = loggers, TimeProvider = time };
                Volatile.Write(ref _repository, await BackupRepository.OpenOrCreateAsync(_store, options, cancellationToken));
            }

            return _repository;
        }
        finally
        {
            _opening.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_repository is not null)
        {
            await _repository.DisposeAsync();
        }

        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        _opening.Dispose();
    }
}
