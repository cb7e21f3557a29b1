using System.Text.Json;
using System.Text.Json.Serialization;
using BackupEngine.Format;
using BackupEngine.ObjectStores;

namespace BackupEngine.Catalog;

/// <summary>The object that makes a container a repository, and says who can read it.</summary>
internal sealed record RepositoryFile
{
    /// <summary>More processes than ever replace the file at once: then the store does not recognize its own object.</summary>
    private const int MaxAttempts = 100;

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

    /// <summary>Gets the members that this engine does not know. They are kept when the file is replaced.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? OtherMembers { get; set; }

    /// <summary>Gets the highest version whose objects the repository may hold: older engines refuse it.</summary>
    [JsonIgnore]
    public int WritableVersion => Math.Min(FormatVersion, MinimumReaderVersion);

    /// <summary>Reads and checks the file.</summary>
    /// <returns>Null when the store has none.</returns>
    /// <exception cref="RepositoryException">It is damaged, or of a later version.</exception>
    public static async Task<RepositoryFile?> ReadAsync(IObjectStore store, CancellationToken cancellationToken) =>
        (await ReadWithBytesAsync(store, cancellationToken).ConfigureAwait(false))?.File;

    /// <summary>
    /// Raises the version of a repository, before the first object of a version is stored that older engines would misread. They refuse the repository from then on. The file
    /// is replaced only as it was read, and never gets a lower version.
    /// </summary>
    /// <returns>The version that the repository has now.</returns>
    /// <exception cref="RepositoryException">There is no such file, it is damaged, or of a later version.</exception>
    public static async Task<int> RequireVersionAsync(IObjectStore store, int version, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            if (await ReadWithBytesAsync(store, cancellationToken).ConfigureAwait(false) is not ({ } file, { } json))
                throw new RepositoryException($"{store.Name} is not a backup repository: it has no {StoreKeys.Repository}.") { IsMissing = true };
            if (file.WritableVersion >= version)
                return file.WritableVersion;
            file = file with { FormatVersion = Math.Max(version, file.FormatVersion), MinimumReaderVersion = Math.Max(version, file.MinimumReaderVersion) };
            try
            {
                await store.PutAsync(StoreKeys.Repository, Write(file), PutCondition.IfUnchanged(json), cancellationToken).ConfigureAwait(false);
                return file.WritableVersion;
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed && attempt < MaxAttempts)
            {
                // Another process raised the version: it is read again.
            }
        }
    }

    private static byte[] Write(RepositoryFile file) => JsonSerializer.SerializeToUtf8Bytes(file, CatalogJson.Default.RepositoryFile);

    private static async Task<(RepositoryFile File, byte[] Json)?> ReadWithBytesAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        RepositoryFile file;
        byte[] json;
        try
        {
            json = await store.GetAllAsync(StoreKeys.Repository, CatalogJson.MaxLength, cancellationToken).ConfigureAwait(false);
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

        return (file, json);
    }

    /// <summary>Makes the store a repository; when two do so at once, one file wins and both use it.</summary>
    /// <returns>The version of the repository; 0 when another process created it, and the version is not known.</returns>
    public static async Task<int> CreateAsync(IObjectStore store, TimeProvider timeProvider, CancellationToken cancellationToken)
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
            await store.PutAsync(StoreKeys.Repository, Write(file), PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
            return file.WritableVersion;
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
        {
            // Another process was faster; what counts is that the file is there.
            return 0;
        }
    }
}
