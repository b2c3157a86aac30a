# Packages lac_kernel as a Vitis RTL kernel. NOT RUN HERE: it needs Vivado.
#
#   vivado -mode batch -source rtl/shell/vitis/package_kernel.tcl -tclargs BUILD_DIRECTORY PART OUTPUT.xo [PARAMETER=VALUE ...]
#
# BUILD_DIRECTORY holds the printed contract (target lac_contract_files). registers.tcl in it has the register map, so
# that no offset stands here. Then:
#
#   v++ -l -t hw_emu|hw --platform PLATFORM OUTPUT.xo -o lacuna.xclbin
#
# For hw_emu: emconfigutil --platform PLATFORM --nd 1, and XCL_EMULATION_MODE=hw_emu in the environment of the host.
lassign $argv build part output
set parameters [lrange $argv 3 end]
set here [file dirname [file normalize [info script]]]
set rtl [file normalize $here/../..]
set contract $build/rtl/defs/generated
source $contract/registers.tcl

create_project -force lac_kernel $build/lac_kernel_project -part $part
add_files [concat [glob $rtl/prim/*.v] [glob $rtl/lane/*.v] [glob $rtl/engine/*.v] [glob $rtl/shell/*.v]]
add_files [glob $contract/*.vh]
set_property include_dirs $contract [current_fileset]
set_property top lac_kernel [current_fileset]
foreach assignment $parameters {
  set_property generic "[get_property generic [current_fileset]] $assignment" [current_fileset]
}

ipx::package_project -root_dir $build/lac_kernel_ip -vendor lacuna -library kernel -taxonomy /KernelIP \
  -import_files -set_current true
set core [ipx::current_core]
set_property name lac_kernel $core
set_property version 1.0 $core
foreach interface {s_axi_control m_axi_gmem} {
  ipx::associate_bus_interfaces -busif $interface -clock ap_clk $core
}
set map [ipx::add_memory_map s_axi_control $core]
set_property slave_memory_map_ref s_axi_control [ipx::get_bus_interfaces s_axi_control -of_objects $core]
set block [ipx::add_address_block reg0 $map]
set_property range 4096 $block
foreach row $lac_registers {
  lassign $row name offset bits access pointer
  set register [ipx::add_register $name $block]
  set_property address_offset $offset $register
  set_property size $bits $register
  set_property access $access $register
  if {$pointer} {
    set_property value m_axi_gmem [ipx::add_register_parameter ASSOCIATED_BUSIF $register]
  }
}
set_property sdx_kernel true $core
set_property sdx_kernel_type rtl $core
set_property ipi_drc {ignore_freq_hz true} $core
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity -kernel $core
ipx::save_core $core
package_xo -force -xo_path $output -kernel_name lac_kernel -ctrl_protocol ap_ctrl_chain -ip_directory $build/lac_kernel_ip \
  -output_kernel_xml $build/lac_kernel.xml
