using System.Text.RegularExpressions;
using BackupEngine.ObjectStores;
using BackupEngine.Service.Api;
using BackupEngine.Volumes;

namespace BackupEngine.Service.Jobs;

/// <summary>What the owner of a backup is told of a failure: what went wrong, but not where this server keeps things. The log has it all.</summary>
internal sealed partial class FailReasons(BackupServiceOptions options)
{
    private const int MaxLength = 255;

    private string? _containerName;

    /// <summary>Opens the container, and takes note of what the engine's messages call it.</summary>
    public async ValueTask<IObjectStore> OpenAsync(Func<CancellationToken, ValueTask<IObjectStore>> open, CancellationToken cancellationToken)
    {
        IObjectStore container = await open(cancellationToken);
        Volatile.Write(ref _containerName, container.Name);
        return container;
    }

    public string Of(Exception exception)
    {
        string? containerName = Volatile.Read(ref _containerName);
        string reason = exception switch
        {
            VolumeException volume => UseOf().Replace(volume.Message, "").Replace(volume.VolumeName, Path.GetFileName(volume.VolumeName), StringComparison.Ordinal),
            ObjectStoreException store => $"the container cannot be used: {WordsOf(store.Error)}{(store.Key is null ? "" : $" ({store.Key})")}",
            UnsupportedObjectStoreException => "the container does not honour conditional puts; check-store shows what it lacks",
            BackupEngineException when containerName is null => "the container cannot be opened",
            BackupEngineException => exception.Message.Replace(containerName, options.ContainerName, StringComparison.Ordinal),
            ApiFault or InvalidDataException => exception.Message,
            _ => $"internal error ({exception.GetType().Name})",
        };
        return reason.Length <= MaxLength ? reason : reason[..MaxLength];
    }

    // What uses a volume is told with mount points and devices of this server.
    [GeneratedRegex(@" \(.*\)(?=, (so it may change|and writing to it))", RegexOptions.Singleline)]
    private static partial Regex UseOf();

    // What a store says itself may name hosts, buckets and accounts.
    private static string WordsOf(ObjectStoreError error) => error switch
    {
        ObjectStoreError.NotFound => "an object is missing",
        ObjectStoreError.ContainerNotFound => "it is not there",
        ObjectStoreError.AccessDenied => "access is denied",
        ObjectStoreError.OutOfSpace => "no space is left",
        ObjectStoreError.Unavailable => "it does not answer",
        _ => "it failed",
    };
}
