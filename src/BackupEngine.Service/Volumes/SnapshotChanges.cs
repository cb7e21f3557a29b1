using System.Text.Json;
using BackupEngine.Service.Api;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;
using BackupEngine.Volumes;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Volumes;

/// <summary>Makes and removes snapshots of volumes.</summary>
internal sealed class SnapshotChanges(CatalogDatabase database, VolumeStore volumes, Quotas quotas, TimeProvider time)
{
    private static readonly ObjectSchema _body = new(
        new Dictionary<string, Schema>
        {
            ["snapshot"] = new ObjectSchema(
                new Dictionary<string, Schema>
                {
                    ["volume_id"] = new UuidSchema(),
                    ["name"] = new TextSchema(),
                    ["description"] = new TextSchema(),
                    ["force"] = new BooleanSchema(),
                    ["metadata"] = new MetadataSchema(),
                },
                "volume_id"),
        },
        "snapshot");

    public async Task<SnapshotRow> FindAsync(ApiRequest request, string id, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        SnapshotRow? row = await catalog.Snapshots.AsNoTracking().FirstOrDefaultAsync(snapshot => snapshot.Id == id, cancellationToken);
        return row is not null && request.Caller.Sees(row.ProjectId) ? row : throw ApiFault.NotFound("Snapshot", id);
    }

    public async Task<SnapshotRow> CreateAsync(ApiRequest request, JsonDocument? document, CancellationToken cancellationToken)
    {
        if (document is null)
        {
            throw ApiFault.MalformedBody();
        }

        _body.Check(document.RootElement);
        JsonElement body = document.RootElement.GetProperty("snapshot");
        await using CatalogContext catalog = database.Open();
        VolumeRow volume = await volumes.FindAsync(catalog, request, BackupBody.UuidOf(body, "volume_id")!, cancellationToken);
        bool isInUse = volume.Status == VolumeStates.InUse;
        if (volume.Status != VolumeStates.Available && !(isInUse && BackupBody.FlagOf(body, "force")))
        {
            throw ApiFault.InvalidVolume($"Volume {volume.Id} status must be available, but current status is: {volume.Status}.");
        }

        SnapshotRow snapshot = new()
        {
            Id = Guid.NewGuid().ToString(),
            ProjectId = request.Caller.ProjectId,
            VolumeId = volume.Id,
            Name = BackupBody.TextOf(body, "name"),
            Description = BackupBody.TextOf(body, "description"),
            Status = VolumeStates.Creating,
            Size = volume.Size,
            CreatedAt = time.Now(),
            Metadata = BackupBody.MetadataOf(body),
        };
        await using (var transaction = await catalog.Database.BeginTransactionAsync(cancellationToken))
        {
            await catalog.LockProjectAsync(request.Caller.ProjectId, cancellationToken);
            await quotas.CheckVolumeAsync(catalog, request.Caller.ProjectId, volume.Size, isSnapshot: true, cancellationToken);
            catalog.Snapshots.Add(snapshot);
            await catalog.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        string status = await FreezeAsync(volume, snapshot.Id, isInUse, cancellationToken) ? VolumeStates.Available : VolumeStates.Error;
        DateTime now = time.Now();
        await catalog.Snapshots.Where(row => row.Id == snapshot.Id).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Status, status).SetProperty(row => row.UpdatedAt, now), CancellationToken.None);
        return snapshot;
    }

    public async Task DeleteAsync(ApiRequest request, string id, CancellationToken cancellationToken)
    {
        await FindAsync(request, id, cancellationToken);
        await using CatalogContext catalog = database.Open();
        int taken = await catalog.Snapshots.Where(row => row.Id == id && row.BusyJobId == null).ExecuteDeleteAsync(cancellationToken);
        if (taken != 1)
        {
            throw ApiFault.InvalidSnapshot("Snapshot status must be available or error.");
        }

        volumes.DeleteSnapshot(id);
    }

    private async Task<bool> FreezeAsync(VolumeRow volume, string snapshotId, bool isInUse, CancellationToken cancellationToken)
    {
        try
        {
            IVolumeProvider provider = volumes.ProviderOf(volume);
            if (isInUse)
            {
                return provider.TrySnapshot(volume.Id, snapshotId);
            }

            await provider.CopySnapshotAsync(volume.Id, snapshotId, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is VolumeException or IOException or UnauthorizedAccessException or NotSupportedException or OperationCanceledException)
        {
            return false;
        }
    }
}
