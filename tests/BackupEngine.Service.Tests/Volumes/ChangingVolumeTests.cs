using BackupEngine.Catalog;
using BackupEngine.Hosting;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using Microsoft.Extensions.DependencyInjection;

namespace BackupEngine.Service.Tests.Volumes;

/// <summary>Volumes that may change while the service reads them.</summary>
public sealed class ChangingVolumeTests
{
    private const string Backups = $"/v3/{ServiceUnderTest.Project}/backups";
    private const string Volumes = $"/v3/{ServiceUnderTest.Project}/volumes";

    [Fact]
    public async Task Backup_VolumeAttachedToALoopDevice_FailsUnlessInUseAndForced()
    {
        Requires.LoopDevices();
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(new() { InUseVolumesAreQuiesced = true });
        TestVolume volume = TestVolume.Create(service, 8 << 20);
        volume.Fill(1);
        using LoopDevice device = LoopDevice.Attach(volume.Path);

        Answer answer = await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id } });
        Assert.Equal(202, answer.Status);
        string refused = (string)answer.Json["backup"]!["id"]!;
        await service.WaitAsync(refused, "error");
        string reason = (string)(await service.ShowAsync(refused))["fail_reason"]!;
        Assert.Contains("is in use, so it may change", reason, StringComparison.Ordinal);
        Assert.DoesNotContain("/dev/", reason, StringComparison.Ordinal);

        Assert.Equal(202, (await service.PostAsync($"{Volumes}/{volume.Id}/action", """{"os-attach": {}}""")).Status);
        answer = await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id, force = true } });
        Assert.Equal(202, answer.Status);
        string forced = (string)answer.Json["backup"]!["id"]!;
        await service.WaitAsync(forced, "available");
        BackupRepository repository = await service.Services.GetRequiredService<RepositoryHost>().GetAsync(ServiceUnderTest.Cancel);
        Backup record = await repository.GetAsync(Guid.Parse(forced), ServiceUnderTest.Cancel);
        Assert.False(record.IsConsistent);
    }

    [Fact]
    public void Options_UndefinedEnumeration_AreRefused()
    {
        (string Type, string Property)[] found =
            [.. OptionEnums.Find(typeof(BackupServiceOptions).Assembly).Concat(OptionEnums.Find(typeof(RepositoryHost).Assembly)).Select(property => (property.DeclaringType!.Name, property.Name))];
        Assert.Equal([(nameof(BackupServiceOptions), nameof(BackupServiceOptions.Auth)), (nameof(ServeOptions), nameof(ServeOptions.Auth))], found.Order());
        ServeOptions serve = new() { VolumesDirectory = "/volumes", DataDirectory = "/data", OpenStore = _ => throw new NotSupportedException() };
        OptionsValidation.Check(serve, new BackupServiceOptions());
        Assert.Throws<ServiceConfigurationException>(() => OptionsValidation.Check(serve, new BackupServiceOptions { Auth = (AuthMode)99 }));
        Assert.Throws<ServiceConfigurationException>(() => OptionsValidation.Check(serve with { Auth = (AuthMode)(-1) }, new BackupServiceOptions()));
    }
}
