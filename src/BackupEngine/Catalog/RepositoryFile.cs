using System.Text.Json;
using BackupEngine.Format;
using BackupEngine.ObjectStores;

namespace BackupEngine.Catalog;

/// <summary>The object that makes a container a repository, and says who can read it.</summary>
internal sealed record RepositoryFile
{
    /// <summary>The format's version.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>The oldest reader that can read the repository.</summary>
    public required int MinimumReaderVersion { get; init; }

    /// <summary>Features that a reader must know.</summary>
    public IReadOnlyList<string> RequiredFeatures { get; init => field = value ?? []; } = [];

    /// <summary>The repository's own id.</summary>
    public required Guid RepositoryId { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Reads and checks the file.</summary>
    /// <returns>Null when the store has none.</returns>
    /// <exception cref="RepositoryException">It is damaged, or of a later version.</exception>
    public static async Task<RepositoryFile?> ReadAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        RepositoryFile file;
        try
        {
            byte[] json = await store.GetAllAsync(StoreKeys.Repository, CatalogJson.MaxLength, cancellationToken).ConfigureAwait(false);
            file = JsonSerializer.Deserialize(json, CatalogJson.Default.RepositoryFile)
                ?? throw new RepositoryException($"{store.Name}: {StoreKeys.Repository} is empty.");
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new RepositoryException($"{store.Name}: {StoreKeys.Repository} cannot be read: {e.Message}", e);
        }

        if (file.MinimumReaderVersion > Format.FormatVersion.Current)
        {
            throw new RepositoryException(
                $"{store.Name} has format version {file.FormatVersion} and needs a reader of version {file.MinimumReaderVersion}; this engine reads version {Format.FormatVersion.Current}. Use a newer engine.");
        }

        if (file.RequiredFeatures.Count > 0)
        {
            throw new RepositoryException(
                $"{store.Name} needs features ({string.Join(", ", file.RequiredFeatures)}) that format version {Format.FormatVersion.Current} of this engine does not have. Use a newer engine.");
        }

        return file;
    }

    /// <summary>Makes the store a repository; when two do so at once, one file wins and both use it.</summary>
    public static async Task CreateAsync(IObjectStore store, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        var file = new RepositoryFile
        {
            FormatVersion = Format.FormatVersion.Current,
            MinimumReaderVersion = Format.FormatVersion.MinimumReader,
            RepositoryId = Guid.NewGuid(),
            CreatedAt = timeProvider.GetUtcNow(),
        };
        try
        {
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(file, CatalogJson.Default.RepositoryFile);
            await store.PutAsync(StoreKeys.Repository, json, PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
        {
            // Somebody else was faster; what counts is that it is there.
        }
    }
}
