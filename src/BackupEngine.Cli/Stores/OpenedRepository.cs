using BackupEngine.Cli.CommandLine;
using BackupEngine.ObjectStores;
using BackupEngine.S3;

namespace BackupEngine.Cli.Stores;

/// <summary>The repository behind a <see cref="StoreAddress"/>, with the store that it owns.</summary>
internal sealed class OpenedRepository : IAsyncDisposable
{
    private readonly IObjectStore _store;

    private OpenedRepository(IObjectStore store, BackupRepository repository)
    {
        _store = store;
        Repository = repository;
    }

    public BackupRepository Repository { get; }

    /// <summary>Opens a repository that must be there.</summary>
    public static Task<OpenedRepository> OpenAsync(CommandContext context, CancellationToken cancellationToken) =>
        OpenAsync(context, BackupRepository.OpenAsync, createContainer: false, cancellationToken);

    /// <summary>Opens a repository, or makes one where there is nothing.</summary>
    /// <param name="context">Names the store.</param>
    /// <param name="createContainer">Whether the directory or bucket may be made, too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<OpenedRepository> OpenOrCreateAsync(CommandContext context, bool createContainer, CancellationToken cancellationToken) =>
        OpenAsync(context, BackupRepository.OpenOrCreateAsync, createContainer, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Repository.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static async Task<OpenedRepository> OpenAsync(
        CommandContext context,
        Func<IObjectStore, RepositoryOptions?, CancellationToken, Task<BackupRepository>> open,
        bool createContainer,
        CancellationToken cancellationToken)
    {
        StoreAddress address = context.GetRequired(SharedOptions.Store);
        IObjectStore store = OpenStore(address, createContainer);
        try
        {
            return new OpenedRepository(store, await open(store, context.RepositoryOptions, cancellationToken));
        }
        catch (Exception e)
        {
            await store.DisposeAsync();
            if (e is RepositoryException { IsMissing: true })
                throw new CommandException(ExitCodes.NotFound, $"{e.Message} Check --store; 'backup-engine backup' makes a repository.", e);
            throw;
        }
    }

    /// <summary>The store alone, without a look at what is in it.</summary>
    public static IObjectStore OpenStore(StoreAddress address, bool createContainer)
    {
        if (address.S3 is { } s3)
            return new S3ObjectStore(s3 with { CreateBucket = createContainer });
        if (!createContainer && !Directory.Exists(address.Directory))
            throw new CommandException(ExitCodes.NotFound, $"there is no directory {address.Directory}; check --store");
        return new DirectoryObjectStore(new DirectoryObjectStoreOptions { Path = address.Directory!, Create = createContainer });
    }
}
